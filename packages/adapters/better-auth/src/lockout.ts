import type { GuardOutcome, LoginFailureProvider } from '@authstate/login-failure'
import { assertName, assertOptions, type Known, systemClock } from '@authstate/spi'
import type { APIError } from 'better-auth/api'

/** Where failures are counted: what `createAuthState` answers, or whatever else has the provider. */
export interface LockoutState {
  readonly loginFailures: LoginFailureProvider
}

/** How failures are counted. */
export interface LockoutOptions {
  /**
   * The realm whose `bruteForce` settings hold. If they are not enabled, no user is locked. @default
   * 'better-auth'
   */
  readonly realmId?: string | undefined
}

/** A plugin for `betterAuth({ plugins })`. */
export interface LockoutPlugin {
  readonly id: 'authstate-lockout'
  readonly hooks: {
    readonly before: {
      matcher: (context: unknown) => boolean
      handler: (context: unknown) => Promise<unknown>
    }[]
  }
}

/** Only an ES module, so a CommonJS program loads it when the first password comes. */
type Api = typeof import('better-auth/api')

const OPTIONS: Known<LockoutOptions> = { realmId: true }

const SECOND_MS = 1_000

/** An account of a user, as far as it is looked at. */
interface Account {
  readonly userId?: unknown
  readonly password?: unknown
}

interface Passwords {
  verify(given: { readonly hash: string; readonly password: string }): Promise<boolean>
  hash(password: string): Promise<string>
}

/** What finds accounts, whatever route asks. */
interface Accounts {
  findUserByEmail(...given: unknown[]): Promise<{ readonly accounts?: readonly Account[] } | null>
  findCredentialAccount(...given: unknown[]): Promise<Account | null>
  findAccounts(...given: unknown[]): Promise<readonly Account[]>
}

/** A request before its endpoint sees it, as far as it is looked at. */
interface BeforeHook {
  readonly path?: string
  readonly body?: Readonly<Record<string, unknown>> | null
  readonly request?: Request
  readonly headers?: Headers
  readonly context: {
    readonly options: Parameters<Api['getIP']>[1]
    readonly password: Passwords
    readonly internalAdapter: Accounts
  }
}

/**
 * Locks accounts, and addresses, after too many wrong passwords, by `loginFailures.guard`: of guesses at once no more are verified
 * than the policy allows.
 *
 * It guards every password that an endpoint verifies: signing in, and what a signed-in user
 * confirms with the password. A name without a user fails and locks in the same way.
 *
 * @param state What `createAuthState` answers, with `bruteForce` in the settings of the realm.
 * @throws {TypeError} an option is wrong
 */
export function lockout({ loginFailures }: LockoutState, options: LockoutOptions = {}): LockoutPlugin {
  assertOptions<LockoutOptions>(options, 'options', OPTIONS)
  const { realmId = 'better-auth' } = options
  assertName(realmId, 'realmId')

  const guarded = (request: BeforeHook, api: Api) => {
    const { password, internalAdapter } = request.context
    const passed = (outcome: GuardOutcome): boolean => {
      if (outcome.outcome === 'locked') throw refusalOf(outcome, loginFailures, api)
      return outcome.outcome === 'success'
    }
    const from = request.request ?? request.headers
    const ip = (from && api.getIP(from, request.context.options)) ?? undefined
    const username = nameIn(request)
    const owners = new Owners()
    return {
      internalAdapter: {
        findUserByEmail: async (...given: unknown[]) => {
          const found = await internalAdapter.findUserByEmail(...given)
          owners.note(found?.accounts)
          return found
        },
        findCredentialAccount: async (...given: unknown[]) => {
          const account = await internalAdapter.findCredentialAccount(...given)
          owners.note(account && [account])
          return account
        },
        findAccounts: async (...given: unknown[]) => {
          const accounts = await internalAdapter.findAccounts(...given)
          owners.note(accounts)
          return accounts
        },
      },
      password: {
        verify: async (given: Parameters<Passwords['verify']>[0]) => {
          const userId = owners.of(given.hash)
          if (userId === undefined) return password.verify(given)
          const verify = async () => Boolean(await password.verify(given))
          return passed(await loginFailures.guard(realmId, userId, { ip }, verify))
        },
        // A sign-in hashes where it finds no account, to take as long as for one.
        hash: async (given: string) => {
          if (username === undefined) return password.hash(given)
          let hash = ''
          const verify = async () => {
            hash = await password.hash(given)
            return false
          }
          passed(await loginFailures.guardUnknownUser(realmId, { ip, username }, verify))
          return hash
        },
      },
    }
  }

  return {
    id: 'authstate-lockout',
    hooks: {
      before: [
        {
          matcher: (request) => hasPassword(request as BeforeHook),
          handler: async (request) => ({
            headers: null,
            response: {
              context: { context: guarded(request as BeforeHook, await import('better-auth/api')) },
            },
          }),
        },
      ],
    },
  }
}

/** Whose the hashes are that a request has found. */
class Owners {
  readonly #userIds = new Map<string, string>()

  note(accounts: readonly Account[] | null | undefined): void {
    for (const { userId, password } of accounts ?? [])
      if (typeof password === 'string' && userId !== undefined) this.#userIds.set(password, String(userId))
  }

  of(hash: string): string | undefined {
    return this.#userIds.get(hash)
  }
}

const hasPassword = ({ body }: BeforeHook): boolean =>
  typeof body === 'object' &&
  body !== null &&
  (typeof body['password'] === 'string' || typeof body['currentPassword'] === 'string')

/** The name that somebody signs in with. */
function nameIn({ path = '', body }: BeforeHook): string | undefined {
  if (!path.startsWith('/sign-in/')) return undefined
  const name = body?.['email'] ?? body?.['username'] ?? body?.['phoneNumber']
  return typeof name === 'string' ? name.toLowerCase() : undefined
}

function refusalOf(
  { until, reason }: Extract<GuardOutcome, { outcome: 'locked' }>,
  { clock = systemClock }: LoginFailureProvider,
  api: Api,
): APIError {
  if (reason === 'store-unavailable')
    return new api.APIError('SERVICE_UNAVAILABLE', {
      code: 'SIGN_IN_UNAVAILABLE',
      message: 'Signing in is not possible now. Try again later.',
    })
  const seconds = until === undefined ? undefined : Math.max(Math.ceil((until - clock.now()) / SECOND_MS), 1)
  return new api.APIError(
    'TOO_MANY_REQUESTS',
    { code: 'ACCOUNT_LOCKED', message: 'Too many failed attempts. Try again later.' },
    seconds === undefined ? {} : { 'Retry-After': String(seconds) },
  )
}
