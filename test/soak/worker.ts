// One process of a soak: does what its seed says, until it is told to stop or killed, and notes what it saw.
import { openSync, writeSync } from 'node:fs'
import { Redis } from 'ioredis'
import { createAuthState, StoreUnavailableError } from '../../packages/authstate/src/index.js'
import type { Entry } from './history.js'
import { configFor, KEYS, type Task, USERS } from './node.js'

await run(JSON.parse(process.argv[2] ?? '') as Task)

/** A master may be on its way when a node starts. */
async function opened(task: Task): ReturnType<typeof createAuthState> {
  for (let tries = 0; ; tries++) {
    try {
      return await createAuthState(configFor(task))
    } catch (error) {
      if (tries === 60 || !(error instanceof StoreUnavailableError)) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

async function run(task: Task): Promise<void> {
  let goesOn = true
  process.on('SIGTERM', () => {
    goesOn = false
  })
  const out = openSync(task.history, 'a')
  const now = () => Number(process.hrtime.bigint()) / 1e6
  type Said = Entry extends infer E ? (E extends Entry ? Omit<E, 'began' | 'ended'> : never) : never
  const note = (began: number, said: Said) =>
    writeSync(out, `${JSON.stringify({ ...said, began, ended: now() })}\n`)
  let steps = 0
  /** Notes a step before it is taken: who is killed in the middle has perhaps taken it. @returns how to note its end */
  const begin = (said: Said) => {
    steps += 1
    const [step, began] = [steps, now()]
    const line = (ended: number, more: object) =>
      writeSync(out, `${JSON.stringify({ ...said, ...more, step, began, ended })}\n`)
    line(Number.MAX_VALUE, { failed: 'unknown' })
    return (more: object) => line(now(), more)
  }

  const state = await opened(task)
  const source = new Redis(task.source)
  const region = state.realmCache.region<number>('soak')

  let random = task.seed
  const below = (n: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((random / 2 ** 32) * n)
  }
  const user = () => `user-${below(USERS)}`
  let tokens = 0
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

  /** `undefined`: it was done; else what its caller was told. */
  async function attempt<T>(
    verb: string,
    step: () => Promise<T>,
  ): Promise<{ value?: T; failed?: 'no' | 'unknown' }> {
    const began = now()
    try {
      return { value: await step() }
    } catch (error) {
      const isExpected = error instanceof StoreUnavailableError
      note(began, { type: 'error', verb, message: String(error), isExpected })
      return { failed: isExpected ? error.applied : 'unknown' }
    }
  }
  const failure = (failed: 'no' | 'unknown' | undefined) => (failed === undefined ? {} : { failed })

  const deeds: (() => Promise<void>)[] = [
    async function login() {
      const began = now()
      const authenticatedAt = state.clock.now()
      const authenticated = [began, now()] as const
      // Between the check of the password and the session there is a second factor, a consent, a slow user.
      await pause(below(40))
      const userId = user()
      const { value } = await attempt('create', () =>
        state.userSessions.create('realm', {
          userId,
          loginUsername: userId,
          client: { clientId: 'app' },
          authenticatedAt,
        }),
      )
      if (value?.outcome === 'created')
        note(began, { type: 'create', id: value.session.id, userId, authenticated })
    },
    async function signOut() {
      if (below(4) > 0) return
      const userId = user()
      const end = begin({ type: 'sign-out', userId })
      const { failed } = await attempt('removeByUser', () => state.userSessions.removeByUser('realm', userId))
      end(failure(failed))
    },
    async function sweep() {
      await attempt('sweep', () => state.userSessions.sweep())
    },
    async function use() {
      const { value: page } = await attempt('listByUser', () =>
        state.userSessions.listByUser('realm', user()),
      )
      const { id } = page?.items[below(page.items.length)] ?? {}
      if (id === undefined) return
      const began = now()
      const { value, failed } = await attempt('refresh', () => state.userSessions.refresh('realm', id))
      if (failed === undefined) note(began, { type: 'look', id, isThere: value !== undefined })
    },
    async function logout() {
      const { value: page } = await attempt('listByUser', () =>
        state.userSessions.listByUser('realm', user()),
      )
      const { id } = page?.items[below(page.items.length)] ?? {}
      if (id === undefined) return
      const end = begin({ type: 'remove', id })
      const { failed } = await attempt('remove', () => state.userSessions.remove('realm', id))
      end(failure(failed))
      const looked = now()
      const { value, failed: unseen } = await attempt('get', () => state.userSessions.get('realm', id))
      if (unseen === undefined) note(looked, { type: 'look', id, isThere: value !== undefined })
    },
    async function put() {
      const began = now()
      tokens += 1
      const token = `${task.node}-${tokens}`
      const { failed } = await attempt('put', () =>
        state.actionTokens.put('realm', 'code', token, { lifespanMs: 3_600_000 }),
      )
      if (failed === undefined) note(began, { type: 'put', token })
      await Promise.all([consume(token), consume(token)])
    },
    () => consume(`${task.node.replace(/\d/, String(below(4)))}-${below(tokens + 1)}`),
    async function exchange() {
      const { value: page } = await attempt('listByUser', () =>
        state.userSessions.listByUser('realm', user()),
      )
      const { id } = page?.items[below(page.items.length)] ?? {}
      if (id !== undefined) await Promise.all([rotate(id), rotate(id)])
    },
    async function wrongPassword() {
      const userId = user()
      const end = begin({ type: 'fail', userId })
      const { failed } = await attempt('recordFailure', () =>
        state.loginFailures.recordFailure('realm', userId),
      )
      end(failure(failed))
    },
    async function change() {
      const key = `key-${below(KEYS)}`
      const version = await source.incr(key)
      const began = now()
      const { failed } = await attempt('invalidate', () => region.invalidate(key))
      if (failed === undefined) note(began, { type: 'write', key, version })
    },
    async function look() {
      const key = `key-${below(KEYS)}`
      const began = now()
      const version = await region
        .get(key, async () => Number((await source.get(key)) ?? 0))
        .catch(() => undefined)
      if (version !== undefined) note(began, { type: 'read', key, version })
    },
  ]
  async function consume(token: string): Promise<void> {
    const began = now()
    const { value, failed } = await attempt('consume', () =>
      state.actionTokens.consume('realm', 'code', token),
    )
    note(began, { type: 'consume', token, outcome: value?.outcome ?? 'failed', ...failure(failed) })
  }

  /** Everybody presents the first refresh token of a session. */
  async function rotate(id: string): Promise<void> {
    const began = now()
    const rotation = {
      clientId: 'app',
      family: 'f',
      presented: 'T1',
      next: `${task.node} ${began}`,
      maxReuse: 0,
    }
    const { value, failed } = await attempt('rotateRefreshToken', () =>
      state.userSessions.rotateRefreshToken('realm', id, { ...rotation, issuedAt: Date.now() }),
    )
    const outcome = value?.outcome === 'rotated' ? 'consumed' : (value?.outcome ?? 'failed')
    note(began, { type: 'consume', token: `of session ${id}`, outcome, ...failure(failed) })
  }

  process.stdout.write('ready\n')
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (goesOn) {
        await deeds[below(deeds.length)]?.()
        // Others want the two cores as well.
        await pause(1)
      }
    }),
  )
  source.disconnect()
  await state.close()
}
