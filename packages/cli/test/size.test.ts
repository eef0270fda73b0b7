import { randomUUID } from 'node:crypto'
import { RecordingLogger } from '@authstate/conformance'
import { createAuthState } from 'authstate'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { BYTES } from '../src/size/figures.js'
import { command } from './support.js'

const run = (line: string) => command(line.split(' '))

test('the size of a deployment is for people and for programs', async () => {
  const { code, out } = await run('size --sessions 1e6 --clients 3')
  expect(code).toBe(0)
  expect(out).toMatch(/^a session {5}\d+ bytes, with 3 client sessions/)
  expect(out).toMatch(/maxmemory {5}\d\.\d GiB/)
  const json = JSON.parse((await run('size --sessions 1000000 --clients 3 --json')).out)
  expect(json.bytesPerSession).toBeCloseTo((BYTES.session + 3 * BYTES.client) * 1.08, -1)
  expect(json.refreshesPerSecond).toBe(10_000)
  expect(json.masters).toBe(1)
  const large = JSON.parse((await run('size --sessions 1e7 --clients 3 --refresh 1m --json')).out)
  expect(large.masters).toBeGreaterThan(10)
})

test.each([
  ['size --sessions many', 2, '--sessions must be a whole number'],
  ['size --sessions 1.5', 2, '--sessions'],
  ['size --sessions 10 --life soon', 2, '--life must be a span'],
  ['size --sessions 10 --clients -1', 2, '--clients'],
  ['size', 2, '--sessions'],
  ['size --sesions 10', 3, '--sessions'],
])('%s ends with %i', async (line, code, said) => {
  const answer = await run(line)
  expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(said)])
})

/** Sessions of two partitions, so that each index has more than 128 entries, as it has in earnest. */
const COUNT = 400

describeWith(redis, 'the table', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  /** Bytes of the keys of these kinds, by what was stored. */
  async function bytesOf(
    store: (state: Awaited<ReturnType<typeof createAuthState>>, n: number) => Promise<unknown>,
  ) {
    const prefix = `size-${randomUUID()}`
    const config = { provider: 'redis', redis: { url: redisUrl(), prefix, partitions: 2 } } as const
    const realms = () => ({ bruteForce: { enabled: true } })
    const state = await createAuthState({ ...config, realms, logger: new RecordingLogger() })
    onTestFinished(() => state.close())
    await Promise.all(Array.from({ length: COUNT }, (_, n) => store(state, n)))
    const keys = await raw.keys(`${prefix}:{*`)
    const ofRecords = keys.filter((key) => !/\}:c[a-z]*(:|$)/.test(key))
    const sizes = await Promise.all(ofRecords.map((key) => raw.memory('USAGE', key, 'SAMPLES', 0)))
    await raw.unlink(...keys)
    return sizes.reduce<number>((sum, size) => sum + Number(size), 0) / COUNT
  }

  const userOf = (n: number) => `f47ac10b-58cc-4372-a567-${String(n).padStart(12, '0')}`
  const sessionWith = (clients: number, notes: number) =>
    bytesOf(async ({ userSessions }, n) => {
      const created = await userSessions.create('acme', {
        userId: userOf(n),
        loginUsername: `user-${n}@example.org`,
        ipAddress: '203.0.113.7',
        notes: notes === 0 ? {} : { note: 'x'.repeat(notes) },
        client: { clientId: 'client-0', protocol: 'openid-connect' },
      })
      if (created.outcome !== 'created') throw new Error(created.outcome)
      for (let k = 1; k < clients; k++) {
        const client = { clientId: `client-${k}`, protocol: 'openid-connect' }
        await userSessions.putClientSession('acme', created.session.id, client)
      }
    })

  /** Within a sixth of what is said: sizes of what an allocator gives out lie further apart than that. */
  const near = (bytes: number, said: number) =>
    expect(Math.abs(bytes - said) / said, `${bytes}`).toBeLessThan(1 / 6)

  test('says what a session takes, its clients and its notes', async () => {
    near(await sessionWith(1, 0), BYTES.session + BYTES.client)
    near(await sessionWith(4, 0), BYTES.session + 4 * BYTES.client)
    near(await sessionWith(1, 1_000), BYTES.session + BYTES.client + 1_000 * BYTES.note)
  })

  test('says what a token, a login under way and failures take', async () => {
    const token = await bytesOf((state, n) =>
      state.actionTokens.put('acme', 'code', `code-${String(n).padStart(38, '0')}`, {
        lifespanMs: 60_000,
        subject: userOf(n),
        data: { clientId: 'client-0' },
      }),
    )
    near(token, BYTES.token)
    const login = await bytesOf(async ({ authSessions }) => {
      const { id } = await authSessions.getOrCreateRoot('acme', undefined)
      await authSessions.addTab('acme', id, { clientId: 'client-0' })
    })
    near(login, BYTES.login)
    const failure = await bytesOf((state, n) =>
      state.loginFailures.recordFailure('acme', userOf(n), { ip: '203.0.113.7' }),
    )
    near(failure, BYTES.failure)
  })
})
