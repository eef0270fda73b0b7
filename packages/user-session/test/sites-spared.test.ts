// Two removals of all sessions of a user at two sites that have not heard of each other.
import { randomUUID } from 'node:crypto'
import { FakeClock } from '@authstate/conformance'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { REALM, Site } from './sites/site.js'

describeWith(redis, 'a session that the later of two removals of all has spared', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  test('lives at both sites, whichever removal each hears of first', async () => {
    const prefix = `spared-${randomUUID()}`
    const open = (name: string) =>
      Site.open(name, { client, prefix: `${prefix}-${name}`, clock: new FakeClock(1_700_000_000_000) })
    const [a, b] = [await open('a'), await open('b')]
    try {
      const made = await b.provider.create(REALM, { userId: 'alice', loginUsername: 'alice' })
      if (made.outcome !== 'created') throw new Error('a session was refused')
      const { id } = made.session
      for (const { clock } of [a, b]) clock.advance(1_000)
      await a.provider.removeByUser(REALM, 'alice')
      for (const { clock } of [a, b]) clock.advance(1_000)
      await b.provider.removeByUser(REALM, 'alice', { except: id })
      await b.tell()
      const [ofA, ofB] = [await a.tell(), await b.tellAll()]
      for (const told of ofA) await b.hear(told)
      for (const told of ofB) await a.hear(told)
      expect(await b.provider.get(REALM, id), 'at b').toBeDefined()
      expect(await a.provider.get(REALM, id)).toEqual(await b.provider.get(REALM, id))
    } finally {
      await a.close()
      await b.close()
    }
  })
})
