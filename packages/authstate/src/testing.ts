/**
 * What an application needs in its own tests: a state in memory with a clock that the test moves, and the kit of the suites:
 * fake clocks, faulty clients, runners.
 *
 * @module
 */
import { FakeClock, RecordingLogger } from '@authstate/conformance'
import type { ProviderRegistry } from '@authstate/registry'
import { type AuthState, stateOf } from './auth-state.js'
import type { AuthStateConfig } from './config.js'
import { liveKeyring, startRegistry } from './create-auth-state.js'

export * from '@authstate/conformance'

/** A state for tests, and what the test moves and reads. */
export interface TestState extends AsyncDisposable {
  /** Give it to the code under test. It is the same object for as long as the test state lives. */
  readonly state: AuthState
  /** The clock of the state. Nothing expires until the test moves it. */
  readonly clock: FakeClock
  /** Everything that the state has logged. Nothing is printed. */
  readonly logger: RecordingLogger
  /**
   * Call it between two tests: it starts the state again, with an empty memory. A store that
   * outlives the state, such as Redis, keeps its records. The clock keeps its time. `state` and the
   * results of `state.realm` still work. A member that you took out of the state, such as `const {
   * userSessions } = state`, is closed: take it again.
   */
  reset(): Promise<void>
  /** Ends the state. Twice is the same as once. */
  close(): Promise<void>
}

/**
 * Starts a state for tests: in memory unless `config` says otherwise, at 1 700 000 000 000 ms since the epoch.
 *
 * @param config As for `createAuthState`. A `clock` or a `logger` in it is used instead, and then not the one of the answer.
 * @throws {ConfigurationError} the configuration cannot work
 */
export async function createTestState(config: AuthStateConfig = {}): Promise<TestState> {
  const [clock, logger] = [new FakeClock(), new RecordingLogger()]
  const keyring = liveKeyring(config)
  const start = (): Promise<ProviderRegistry> =>
    startRegistry({ ...config, keyring, clock: config.clock ?? clock, logger: config.logger ?? logger })
  let current = await start()
  let isClosed = false
  let resetting = Promise.resolve()
  const registry = new Proxy(current, { get: (_, name) => Reflect.get(current, name) as unknown })
  const close = (): Promise<void> => {
    isClosed = true
    return current.close()
  }
  return {
    state: stateOf(registry, keyring, config.providers),
    clock,
    logger,
    reset: async () => {
      if (isClosed) throw new TypeError('a test state that is closed cannot be reset')
      resetting = resetting
        .catch(() => {})
        .then(async () => {
          const next = await start()
          const before = current
          current = next
          await before.close()
          if (isClosed) await next.close()
        })
      await resetting
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
