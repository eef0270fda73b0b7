import type { Logger } from '@authstate/spi'
import { type AuthState, type AuthStateConfig, createAuthState } from 'authstate'
import { FakeClock } from 'authstate/testing'
import { onTestFinished } from 'vitest'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import { type ConsoleOptions, createConsole, type Operator } from '../src/index.js'
import { breakable as whileAway } from './breakable.js'

export const ORIGIN = 'https://ops.example.org'
export const keyring = { current: 'a', keys: { a: 'a secret of these tests, 32 bytes or more' } }
export const CHIEF: Operator = {
  id: 'chief',
  name: 'Chief',
  can: { read: true, endSessions: true, clearFailures: true, clearCache: true, manageSites: true },
}

/** Names that somebody may choose who wants to harm whoever looks at them. */
export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onfocus='alert(1)",
  '\u202emoc.elpmaxe\u202c',
  'line\nbreak\u0000nul',
  '&lt;b&gt;',
  '../../audit',
  '%2e%2e/?a=b#c',
  '👩‍💻 \u0645\u0631\u062d\u0628\u0627',
  'javascript:alert(1)',
  'x'.repeat(512),
]

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A state of which the store can be taken away: then every verb that would ask it rejects. */
export function breakable(state: AuthState): { readonly state: AuthState; away: boolean } {
  const breaking = { away: false, state }
  return Object.assign(breaking, { state: whileAway(state, () => breaking.away) })
}

/** What a server of these tests answered. */
export interface Got {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** A console over a state in memory, with sessions of every kind in the realm `acme`, and who looks at it. */
export async function world(
  options: Partial<ConsoleOptions> = {},
  names: readonly string[] = ['ada', 'bob'],
  providers: AuthStateConfig['providers'] = [],
) {
  const clock = new FakeClock()
  const made = await createAuthState({
    clock,
    keyring,
    realms: () => ({ bruteForce: { enabled: true, failureFactor: 3 } }),
    node: { name: 'n1' },
    providers,
  })
  const store = breakable(made)
  const ids: string[] = []
  for (const userId of names) await crowd(made, 'acme', userId, ids, clock)
  await crowd(made, 'other', 'zoe-of-other', ids, clock)
  let operator: Operator | Response | undefined = CHIEF
  const console = createConsole({
    state: store.state,
    authorize: () => operator,
    realms: ['acme', 'other'],
    keyring,
    readOnly: false,
    logger: silent,
    ...options,
  })
  onTestFinished(async () => {
    await console.close()
    await made.close()
  })
  const base = options.basePath ?? ''
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Got> =>
    gotOf(await console(new Request(`${ORIGIN}${base}${path}`, { headers })))
  const post = async (
    path: string,
    body: string | Readonly<Record<string, string | readonly string[]>>,
    headers: Record<string, string | undefined> = {},
  ): Promise<Got> => {
    const given = { 'sec-fetch-site': 'same-origin', origin: ORIGIN, 'content-type': FORM, ...headers }
    const kept = Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    )
    const request = new Request(`${ORIGIN}${base}${path}`, {
      method: 'POST',
      headers: Object.fromEntries(kept) as Record<string, string>,
      body: typeof body === 'string' ? body : formOf(body),
    })
    return gotOf(await console(request))
  }
  const data = async <T = Record<string, never>>(path: string): Promise<T> =>
    (JSON.parse((await get(`/api/v1/${path}`)).text) as { data: T }).data
  const token = async (): Promise<string> =>
    (JSON.parse((await get('/api/v1/me')).text) as { token: string }).token
  return {
    clock,
    state: made,
    store,
    ids,
    console,
    get,
    post,
    data,
    token,
    become: (next: Operator | Response | undefined) => {
      operator = next
    },
  }
}

export const FORM = 'application/x-www-form-urlencoded'

export function formOf(fields: Readonly<Record<string, string | readonly string[]>>): string {
  const pairs = Object.entries(fields).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value as string]),
  )
  return new URLSearchParams(pairs).toString()
}

async function gotOf(response: Response): Promise<Got> {
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/** Gives a user a session of each kind, a token and a lock. */
async function crowd(state: AuthState, realmId: string, userId: string, ids: string[], clock: FakeClock) {
  const realm = state.realm(realmId)
  const created = createdSession(
    await realm.userSessions.create({
      userId,
      loginUsername: userId,
      ipAddress: '203.0.113.7',
      notes: { 'a-note': 'a value that nobody sees' },
      client: { clientId: `client of ${userId}`.slice(0, 500), notes: { secret: 'of a client' } },
    }),
  )
  await realm.userSessions.createOffline(created.id)
  const web = `web-${ids.length}-0123456789abcdef`
  await realm.webSessions.save(web, {
    data: { cart: 'a value that nobody sees' },
    userId,
    lifespanMs: 3_600_000,
  })
  const key = `token-key-${ids.length}-0123456789`
  await realm.actionTokens.put('reset', key, { lifespanMs: 3_600_000, subject: userId })
  ids.push(created.id, web, key)
  for (let n = 0; n < 3; n++) {
    await realm.loginFailures.recordFailure(userId, { ip: '198.51.100.77' })
    clock.advance(2_000)
  }
}
