// A deployment without sites pays nothing: what its verbs run knows of no site.
import { expect, test } from 'vitest'
import * as decidingScripts from '../src/redis/deciding-scripts.js'
import * as siteScripts from '../src/redis/site-scripts.js'
import * as scripts from '../src/scripts.js'

/** Kinds of keys that are there only for other sites. */
const OF_SITES = /['"{}]:?x[sogc][:'"]/

test('no script of a verb reads or writes what is kept for other sites, or includes what does', () => {
  const ofSites: readonly unknown[] = [...Object.values(siteScripts), ...Object.values(decidingScripts)]
  const texts = Object.values(scripts).filter((script) => !ofSites.includes(script))
  expect(texts.length).toBeGreaterThan(7)
  expect(texts.filter(({ lua }) => OF_SITES.test(lua)).map(({ name }) => name)).toEqual([])
})

test('the scripts of sites do', () => {
  const { share, join } = siteScripts
  for (const { lua } of [share, join]) expect(lua).toMatch(OF_SITES)
})
