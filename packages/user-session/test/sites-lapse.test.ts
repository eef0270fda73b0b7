// A session that is over at a site that was cut off, and goes on at another one.
import { randomUUID } from 'node:crypto'
import { FakeClock } from '@authstate/conformance'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { REALM, Site, type Told } from './sites/site.js'

const MINUTE_MS = 60_000

describeWith(redis, 'a session that was refreshed at another site', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  const heard = async (site: Site, told: readonly Told[]) => {
    const answers = []
    for (const one of told) answers.push({ ...one, answer: await site.hear(one) })
    return answers
  }

  /** Of one session: a has noted something, b has refreshed it, and neither has heard of that. */
  async function cutOff() {
    const prefix = `lapse-${randomUUID()}`
    const open = (name: string) =>
      Site.open(name, { client, prefix: `${prefix}-${name}`, clock: new FakeClock(1_700_000_000_000) })
    const [a, b] = [await open('a'), await open('b')]
    const user = { userId: 'alice', loginUsername: 'alice' }
    const made = await a.provider.create(REALM, user)
    if (made.outcome !== 'created') throw new Error('a session was refused')
    const { id } = made.session
    await heard(b, await a.tell())
    const pass = (ms: number) => {
      for (const { clock } of [a, b]) clock.advance(ms)
    }
    pass(10 * MINUTE_MS)
    await b.provider.refresh(REALM, id)
    await a.provider.update(REALM, id, { notes: { of: 'a' } })
    const ofA = await a.tell()
    const ofB = await b.tell()
    const close = async () => {
      await a.close()
      await b.close()
    }
    return { a, b, id, ofA, ofB, pass, close }
  }

  test('is the same at a site that has swept it, with what that site had told others', async () => {
    const { a, b, id, ofA, ofB, pass, close } = await cutOff()
    try {
      pass(21 * MINUTE_MS)
      await a.provider.sweep()
      expect(await a.provider.get(REALM, id), 'swept at a').toBeUndefined()
      await heard(a, ofB)
      for (const { answer, ...told } of await heard(b, ofA)) {
        expect(answer.outcome).toBe('changed')
        if (answer.known !== undefined) await a.hear({ ...told, state: answer.known })
      }
      const atB = await b.provider.get(REALM, id)
      expect(atB?.notes).toEqual({ of: 'a' })
      expect(await a.provider.get(REALM, id)).toEqual(atB)
    } finally {
      await close()
    }
  })

  test('is not told back to a site where it lives', async () => {
    const { b, ofA, close } = await cutOff()
    try {
      const answers = await heard(b, ofA)
      expect(answers.map(({ answer }) => answer)).toEqual([{ outcome: 'changed' }])
    } finally {
      await close()
    }
  })
})
