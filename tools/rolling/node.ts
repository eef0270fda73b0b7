// A node of one version in a process of its own. It does what it is told, a line of JSON at a time, and answers with one.
import { createInterface } from 'node:readline'
import { type AuthState, createAuthState } from '../../packages/authstate/src/index.js'
import { REALM, type Stored, store, VERBS } from '../../packages/authstate/test/full/verbs.js'

interface Told {
  readonly do: 'store' | 'ask' | 'look' | 'close'
  readonly spi?: string
  readonly verb?: string
  readonly stored?: Stored
}

const { url, prefix, name, withCluster } = JSON.parse(process.env['AUTHSTATE_ROLLING'] ?? '{}') as {
  readonly url: string
  readonly prefix: string
  readonly name: string
  readonly withCluster: boolean
}

/** What a session and its like are to whoever reads them: every part, maps as lists, an error by its code. */
const shown = (value: unknown): unknown =>
  value instanceof Map
    ? { entries: [...value].map(([key, held]) => [key, shown(held)]) }
    : Array.isArray(value)
      ? value.map(shown)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .filter(([, held]) => typeof held !== 'function')
              .map(([key, held]) => [key, shown(held)])
              .sort(),
          )
        : value

/** What the verbs of reading say of everything that was stored. */
async function look(state: AuthState, { session, root, web }: Stored): Promise<unknown> {
  const { userSessions, authSessions, actionTokens, webSessions, loginFailures } = state
  return Promise.all([
    userSessions.get(REALM, session),
    userSessions.get(REALM, session, { offline: true }),
    userSessions.get(REALM, session, { clientId: 'app' }),
    userSessions.listByUser(REALM, 'ada'),
    userSessions.listByClient(REALM, 'app', { offline: true }),
    userSessions.listByBrokerUser(REALM, 'b'),
    userSessions.clientStats(REALM),
    userSessions.count(REALM),
    authSessions.getRoot(REALM, root),
    actionTokens.get(REALM, 'code', 'k'),
    actionTokens.listBySubject(REALM, 'ada'),
    webSessions.get(REALM, web),
    webSessions.find(REALM, 'x'),
    webSessions.list(REALM),
    webSessions.listByUser(REALM, 'ada'),
    webSessions.listByLabel(REALM, 'l', 'v'),
    webSessions.count(REALM),
    loginFailures.get(REALM, 'ada'),
    loginFailures.listLocked(REALM),
  ])
}

async function obey(state: AuthState, told: Told): Promise<unknown> {
  if (told.do === 'store') return store(state)
  if (told.do === 'close') return state.close()
  const stored = told.stored as Stored
  if (told.do === 'look') return look(state, stored)
  return VERBS[told.spi ?? '']?.[told.verb ?? '']?.(state, stored)
}

const say = (answer: object) => void process.stdout.write(`${JSON.stringify(answer)}\n`)

try {
  const state = await createAuthState({
    provider: 'redis',
    redis: { url, prefix },
    keyring: { current: 'a', keys: { a: 'x'.repeat(32) } },
    node: { name },
    realms: () => ({ bruteForce: { enabled: true } }),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    spi: {
      'user-session': { sweepIntervalMs: 0 },
      'login-failure': { failPolicy: 'closed', address: {} },
      ...(!withCluster && {
        cluster: { enabled: false },
        'realm-cache': { enabled: false },
        'sticky-session-encoder': { enabled: false },
      }),
    },
  })
  say({
    verbs: Object.entries(VERBS).flatMap(([spi, verbs]) => Object.keys(verbs).map((verb) => [spi, verb])),
  })
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line) as Told
    const answer = await Promise.resolve()
      .then(() => obey(state, told))
      .then(
        (value) => ({ value: shown(value) }),
        (error: Error & { code?: string }) => ({ error: error.code ?? error.name, text: String(error) }),
      )
    say(answer)
    if (told.do === 'close') break
  }
} catch (error) {
  say({ error: (error as Error).name, text: String(error) })
  process.exitCode = 1
}
