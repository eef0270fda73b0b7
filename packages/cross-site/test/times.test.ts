// A refresh is told by its times alone. A site that holds another session, or none, is sent the whole of it.
import { userSessionJoiner } from '@authstate/user-session/sites'
import { expect, onTestFinished, test, vi } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { inStep, openTwo, passes, REALM, signIn } from './support.js'

/** What is told of user sessions from now on, and what is answered. */
function listen() {
  const heard: { isWhole: boolean; outcome: string }[] = []
  const { join } = userSessionJoiner
  const spy = vi.spyOn(userSessionJoiner, 'join').mockImplementation(async (...given) => {
    const answer = await join.apply(userSessionJoiner, given)
    heard.push({ isWhole: !given[2].includes('"v":2'), outcome: answer.outcome })
    return answer
  })
  onTestFinished(() => spy.mockRestore())
  return heard
}

describeWith(redis, 'a refresh', () => {
  test('is told by its times alone', async () => {
    const { a, b } = await openTwo()
    const { id } = await signIn(a)
    await inStep(a, b)
    const heard = listen()
    await passes(a, 2)
    await a.users.refresh(REALM, id, { clientId: 'shop' })
    await inStep(a, b)
    expect(heard.length).toBeGreaterThan(0)
    expect(heard.filter(({ isWhole }) => isWhole)).toEqual([])
    expect(await b.users.get(REALM, id)).toEqual(await a.users.get(REALM, id))
  })

  test('is told with the whole session where another change was made with it', async () => {
    const { a, b } = await openTwo()
    const { id } = await signIn(a)
    await inStep(a, b)
    const heard = listen()
    await passes(a, 2)
    await Promise.all([
      a.users.update(REALM, id, { notes: { of: 'a' } }),
      a.users.refresh(REALM, id, { clientId: 'shop' }),
    ])
    await inStep(a, b)
    expect(heard.some(({ isWhole }) => isWhole)).toBe(true)
    expect(await b.users.get(REALM, id)).toEqual(await a.users.get(REALM, id))
  })

  test('brings the whole session to a site that lost it', async () => {
    const { a, b, prefixB } = await openTwo()
    const { id } = await signIn(a)
    await inStep(a, b)
    const raw = openRedis()
    onTestFinished(() => raw.disconnect())
    const keys = (await raw.keys(`${prefixB}:*`)).filter((key) => key.endsWith(id))
    expect(keys.length).toBe(2)
    await raw.unlink(...keys)
    const heard = listen()
    await passes(a, 2)
    await a.users.refresh(REALM, id, { clientId: 'shop' })
    await inStep(a, b)
    expect(heard).toContainEqual({ isWhole: false, outcome: 'need-full' })
    expect(heard).toContainEqual({ isWhole: true, outcome: 'changed' })
    expect(await b.users.get(REALM, id)).toEqual(await a.users.get(REALM, id))
    // What was asked for is no refusal.
    const [link] = await a.sites.links()
    expect(link?.behind).toBe(0)
  })
})
