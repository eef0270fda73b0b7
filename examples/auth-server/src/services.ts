import { getConnInfo } from '@hono/node-server/conninfo'
import type { AuthState, Clock } from 'authstate'
import type { Context } from 'hono'
import { Activity } from './activity.js'
import { Beginnings } from './beginnings.js'
import type { AuthServerOptions } from './config.js'
import { createDirectory, type Directory } from './directory.js'
import { generateSigningKey, readSigningKey, type SigningKey } from './signing-key.js'
import { createTelling, type Telling } from './telling.js'
import { createTokens, type Tokens } from './tokens.js'

/** What the routes of one node work with. */
export interface Services {
  readonly state: AuthState
  readonly realmId: string
  readonly issuer: string
  /** The one that all nodes go by: what is signed, computed and compared here goes by it as well. */
  readonly clock: Clock
  readonly directory: Directory
  readonly key: SigningKey
  readonly tokens: Tokens
  readonly accessTokenLifespanMs: number
  readonly sessionsPerPage: number
  readonly activity: Activity
  readonly beginnings: Beginnings
  /** Absent where the state was made without it. */
  readonly telling: Telling | undefined
  readonly ipAddress: (context: Context) => string | undefined
}

export async function createServices(options: AuthServerOptions): Promise<Services> {
  const { state, issuer, realmId = 'main' } = options
  const { clock } = state
  const key = await readSigningKey(options.signingKey ?? (await generateSigningKey()))
  return {
    state,
    realmId,
    issuer,
    clock,
    key,
    directory: await createDirectory(state.realmCache, options),
    tokens: createTokens(issuer, key, clock),
    accessTokenLifespanMs: options.accessTokenLifespanMs ?? 300_000,
    sessionsPerPage: options.sessionsPerPage ?? 5,
    activity: new Activity(state.userSessions, realmId),
    beginnings: new Beginnings(clock, options.loginsPerAddress ?? 300),
    telling: createTelling(options, realmId),
    ipAddress: options.ipAddress ?? socketAddress,
  }
}

/** The other end of the connection; a request that came without one, as in a test, has none. */
function socketAddress(c: Context): string | undefined {
  const env = c.env as { incoming?: unknown } | undefined
  return env?.incoming === undefined ? undefined : getConnInfo(c).remote.address
}
