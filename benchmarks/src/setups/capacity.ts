import { type AuthState, createAuthState } from 'authstate'
import { Redis } from 'ioredis'
import { codeOf } from '../code.js'
import type { Fact, Report } from '../finding.js'
import { forEach } from '../for-each.js'
import { CLIENT_IDS, createdSession, loginOf, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { steadyRealm } from '../open-store.js'
import { serverCpuUs } from '../redis-info.js'

const CALLS = 5_000
/** What a master may use of its core: beyond it a burst waits. */
const BUSY = 0.6
const MASTERS = [1, 3, 12]
/** How often a session that is in use is refreshed: the usual life of an access token. */
const REFRESH_EVERY_S = 300

interface Cost {
  readonly serverUs: number
  readonly clientUs: number
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly commands: number
}

/** What whole requests of an auth server cost, all their calls together, and what that lets a Redis carry. */
export async function measure({ url }: Surroundings): Promise<Report> {
  const client = new Redis(url)
  const state = await createAuthState({
    provider: 'redis',
    redis: { url, prefix: 'capacity' },
    realms: () => steadyRealm,
    spi: { 'user-session': { sweepIntervalMs: 0 } },
  })
  try {
    const sessions: string[] = []
    const tokens: string[] = []
    const login = async (n: number) => {
      sessions[n] = await loginAt(state, n)
      tokens[n] = `t${n}`
    }
    const refresh = async (n: number) => {
      tokens[n] = await refreshAt(state, sessions[n] as string, n, tokens[n] as string)
    }
    await forEach(CALLS / 10, (n) => login(CALLS + n))
    const costs = {
      login: await costOf(client, login),
      refresh: await costOf(client, refresh),
      'logout of a user': await costOf(client, (n) => state.userSessions.removeByUser(REALM, userOf(n))),
    }
    return {
      findings: [],
      facts: [
        ...Object.entries(costs).map(([name, cost]) => costFact(name, cost)),
        ...MASTERS.map((masters) => capacityFact(masters, costs.login, costs.refresh)),
      ],
    }
  } finally {
    await state.close()
    client.disconnect()
  }
}

/** What the example server asks of the state for a login with a password that ends with a code, and its token request. */
async function loginAt(state: AuthState, n: number): Promise<string> {
  const { authSessions, loginFailures, userSessions, actionTokens } = state
  const root = await authSessions.getOrCreateRoot(REALM, undefined)
  const tab = await authSessions.addTab(REALM, root.id, {
    clientId: CLIENT_IDS[0],
    redirectUri: `https://${CLIENT_IDS[0]}.test/cb`,
    clientNotes: { codeChallenge: codeOf(n).data.challenge },
  })
  if (tab === undefined) throw new Error('a login under way is not there')
  await loginFailures.guard(REALM, userOf(n), { ip: '203.0.113.7' }, async () => true)
  const { id } = createdSession(await userSessions.create(REALM, loginOf(n)))
  await authSessions.finishTab(REALM, root.id, tab.tab.tabId)
  const code = codeOf(n)
  await actionTokens.put(REALM, 'code', code.id, { lifespanMs: 60_000, data: code.data })
  await actionTokens.consume(REALM, 'code', code.id)
  await userSessions.get(REALM, id)
  return id
}

/** A refresh with rotation: the token is exchanged for its successor, and the session lives on. */
async function refreshAt({ userSessions }: AuthState, id: string, n: number, token: string): Promise<string> {
  const [clientId] = CLIENT_IDS
  const next = `${token}x`
  const { outcome } = await userSessions.rotateRefreshToken(REALM, id, {
    ...{ clientId, family: `f${n}`, presented: token, next, issuedAt: Date.now(), maxReuse: 0 },
  })
  if (outcome !== 'rotated') throw new Error(`a refresh token was ${outcome}`)
  await userSessions.touch(REALM, id, { clientId })
  return next
}

async function costOf(client: Redis, request: (n: number) => Promise<unknown>): Promise<Cost> {
  const look = async () => {
    const stats = await client.info('stats')
    const read = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(stats)?.[1])
    const { user, system } = process.cpuUsage()
    return {
      serverUs: await serverCpuUs(client),
      clientUs: user + system,
      sentBytes: read('total_net_input_bytes'),
      receivedBytes: read('total_net_output_bytes'),
      commands: read('total_commands_processed'),
    }
  }
  const before = await look()
  await forEach(CALLS, request)
  const after = await look()
  const each = (name: keyof Cost) => (after[name] - before[name]) / CALLS
  return {
    serverUs: each('serverUs'),
    clientUs: each('clientUs'),
    sentBytes: each('sentBytes'),
    receivedBytes: each('receivedBytes'),
    commands: each('commands'),
  }
}

const costFact = (name: string, cost: Cost): Fact => ({
  group: 'what 1 000 requests cost, without the password and the signatures',
  name,
  values: {
    'server CPU s': round3(cost.serverUs / 1_000),
    'client CPU s': round3(cost.clientUs / 1_000),
    'KB sent': Math.round(cost.sentBytes),
    'KB received': Math.round(cost.receivedBytes),
    // What scripts call counts as well.
    'commands in the server, each': round3(cost.commands),
  },
})

/** Masters with a core each, each busy for a share of its time. */
function capacityFact(masters: number, login: Cost, refresh: Cost): Fact {
  const usPerSecond = 1e6 * BUSY * masters
  const refreshes = usPerSecond / refresh.serverUs
  return {
    group: `worked out: what masters carry whose cores are busy for ${BUSY * 100} % of the time`,
    name: masters === 1 ? 'one master' : `${masters} masters`,
    values: {
      'logins a second, nothing else': Math.round(usPerSecond / login.serverUs),
      'refreshes a second, nothing else': Math.round(refreshes),
      [`sessions that are refreshed every ${REFRESH_EVERY_S / 60} minutes`]: Math.round(
        refreshes * REFRESH_EVERY_S,
      ),
    },
  }
}

const round3 = (value: number) => Number(value.toPrecision(3))
