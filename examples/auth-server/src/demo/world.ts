import { randomBytes } from 'node:crypto'
import { type AuthState, type AuthStateConfig, createAuthState, type RealmSettings } from 'authstate'
import type { JWK } from 'jose'
import type { Client, User } from '../config.js'
import { hashPassword } from '../passwords.js'
import { generateSigningKey } from '../signing-key.js'

/** The one name both nodes go by. Nobody resolves it: the demo hands each request to the node it wants. */
export const ISSUER = 'https://login.example'

export const NOTES: Client = {
  clientId: 'notes',
  name: 'Notes',
  secret: 'the secret of the notes application',
  redirectUris: ['https://notes.example/callback'],
  postLogoutRedirectUris: ['https://notes.example/bye'],
}

/** A public client: an app in the browser, which can keep no secret. */
export const CALENDAR: Client = {
  clientId: 'calendar',
  name: 'Calendar',
  redirectUris: ['https://calendar.example/callback'],
  postLogoutRedirectUris: ['https://calendar.example/bye'],
}

export const PASSWORDS = { alice: 'correct horse battery staple', bob: 'tr0ub4dor&3' } as const

const REALM: RealmSettings = {
  // Five failures lock an account for a minute. A driver types faster than anybody: speed alone is not held against it.
  bruteForce: { enabled: true, failureFactor: 5, waitIncrementMs: 60_000, quickLoginCheckMs: 0 },
}

/** Who signs in once too often loses the session that was not used for longest. */
const SESSIONS = { maxSessionsPerUser: 10, limitPolicy: 'end-least-recently-used' } as const

/** What every node of one run is given; plain data, so that it can go to another process. */
export interface World {
  readonly users: readonly User[]
  readonly signingKey: JWK
  readonly keyring: { readonly current: string; readonly keys: Readonly<Record<string, string>> }
  /** Absent: state lives in one process. */
  readonly redis?: { readonly url: string; readonly prefix: string }
}

export async function createWorld(redisUrl: string | undefined): Promise<World> {
  const run = randomBytes(6).toString('hex')
  return {
    users: [
      {
        id: 'u-1',
        username: 'alice',
        name: 'Alice Archer',
        email: 'alice@example.org',
        isAdmin: true,
        passwordHash: await hashPassword(PASSWORDS.alice),
      },
      {
        id: 'u-2',
        username: 'bob',
        name: 'Bob Baker',
        email: 'bob@example.org',
        passwordHash: await hashPassword(PASSWORDS.bob),
      },
    ],
    signingKey: await generateSigningKey(),
    keyring: { current: run, keys: { [run]: randomBytes(48).toString('base64url') } },
    ...(redisUrl !== undefined && { redis: { url: redisUrl, prefix: `authstate-demo-${run}` } }),
  }
}

/** The state of a node: in Redis when the world has one. */
export function createState({ redis, keyring }: World, name: string): Promise<AuthState> {
  const store: AuthStateConfig = redis ? { provider: 'redis', redis } : {}
  return createAuthState({
    ...store,
    keyring,
    node: { name },
    realms: () => REALM,
    spi: { 'user-session': SESSIONS },
  })
}
