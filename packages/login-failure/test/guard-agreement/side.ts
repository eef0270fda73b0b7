import type { LoginFailureProvider } from '../../src/index.js'
import { ADDRESSES, REALM, USERS } from './steps.js'

/** How a verification ends. */
export type Ending = 'right' | 'wrong' | 'broken'

/** A call of a guard: it waits for its turn or for its store, is being verified, or has its answer. */
interface Attempt {
  at: 'pending' | 'verifying' | 'answered'
  answer?: unknown
  end?: (ending: Ending) => void
}

type Verify = () => Promise<boolean>

/** One of the two stores, with the guards that are under way there. */
export class Side {
  readonly provider: LoginFailureProvider
  readonly #attempts: Attempt[] = []
  readonly #events: string[] = []

  constructor(provider: LoginFailureProvider) {
    this.provider = provider
    provider.on('*', (event) => this.#events.push(JSON.stringify(event)))
  }

  get pending(): number {
    return this.#attempts.filter(({ at }) => at === 'pending').length
  }

  get verifying(): number {
    return this.#attempts.filter(({ at }) => at === 'verifying').length
  }

  /** Begins a guarded attempt and waits for nothing. */
  begin(guard: (provider: LoginFailureProvider, verify: Verify) => Promise<unknown>): void {
    const attempt: Attempt = { at: 'pending' }
    this.#attempts.push(attempt)
    const verify = () =>
      new Promise<boolean>((resolve, reject) => {
        attempt.at = 'verifying'
        attempt.end = (ending) => {
          attempt.at = 'pending'
          if (ending === 'broken') reject(new Error('the directory is away'))
          else resolve(ending === 'right')
        }
      })
    guard(this.provider, verify).then(
      (answer) => Object.assign(attempt, { at: 'answered', answer }),
      (error: Error) => Object.assign(attempt, { at: 'answered', answer: error.message }),
    )
  }

  /** Ends one of the verifications under way. */
  end(number: number, ending: Ending): void {
    const under = this.#attempts.filter(({ at }) => at === 'verifying')
    under[number % Math.max(under.length, 1)]?.end?.(ending)
  }

  /** What callers were told and what events said since the last time, and all that can be read. */
  async seen() {
    const events = this.#events.splice(0).sort()
    const attempts = this.#attempts.map(({ at, answer }) => ({ at, answer }))
    const { provider } = this
    const users = await Promise.all(
      USERS.map(async (user) => [
        await provider.get(REALM, user),
        await provider.status(REALM, user),
        await provider.check(REALM, user),
        await provider.explain(REALM, user, { ip: ADDRESSES[0] }),
      ]),
    )
    const addresses = await Promise.all(ADDRESSES.map((ip) => provider.getAddress(REALM, ip)))
    return { attempts, events, users, addresses }
  }
}
