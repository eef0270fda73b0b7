// Sites have marks, which keys contain that were minted there; sites that are configured differently do not start.
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import type { CrossSiteConfig } from '../src/index.js'
import { freshPrefix, isState, openSite, openTwo } from './support.js'

const marks = { a: 'A', b: 'B' }

describeWith(redis, 'marks of sites', () => {
  test('are in keys that a site mints, and in none once it is alone again', async () => {
    const { a, b } = await openTwo({ config: { marks } })
    expect(a.tokens.mintKey()).toMatch(/^[\w-]{21}\.A$/)
    expect(b.tokens.mintKey()).toMatch(/^[\w-]{21}\.B$/)
    await a.sites.close()
    expect(a.tokens.mintKey()).toMatch(/\.0$/)
  })

  test('without marks, keys have none', async () => {
    const { a } = await openTwo()
    expect(a.tokens.mintKey()).toMatch(/\.0$/)
  })

  test('another site that has others stops the start', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    await openSite({ name: 'a', prefix: prefixA, others: { b: { prefix: prefixB } }, config: { marks } })
    const late = { name: 'b', prefix: prefixB, others: { a: { prefix: prefixA } } }
    const others: Partial<CrossSiteConfig> = { marks: { a: 'B', b: 'A' } }
    await expect(openSite({ ...late, config: others })).rejects.toThrow(
      'crossSite.marks: the site "a" has a=A,b=B, and this site has a=B,b=A',
    )
  })

  test('nodes of one site have the same, and change them with a higher membershipVersion only', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const site = { name: 'a', prefix: prefixA, others: { b: { prefix: prefixB } } }
    const open = (config: Partial<CrossSiteConfig>) => openSite({ ...site, config })
    await open({ marks })
    await open({ marks })
    const changed = { a: 'X', b: 'B' }
    await expect(open({ marks: changed })).rejects.toThrow(
      'crossSite.membershipVersion: is 1, as it was for the sites a=A,b=B. They are a=X,b=B now: raise it to 2',
    )
    await open({ marks: changed, membershipVersion: 2 })
    await expect(open({ marks })).rejects.toThrow(
      'crossSite.membershipVersion: is 1, but this site has reached 2',
    )
  })

  test('a site of another membershipVersion is online: it may be about to change', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const a = await openSite({
      name: 'a',
      prefix: prefixA,
      others: { b: { prefix: prefixB } },
      config: { marks },
    })
    await openSite({
      name: 'b',
      prefix: prefixB,
      others: { a: { prefix: prefixA } },
      config: { marks: { a: 'B', b: 'A' }, membershipVersion: 2 },
    })
    await isState(a, 'b', 'online')
  })
})
