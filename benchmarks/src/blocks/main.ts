// npm run bench:blocks [-- --sessions 1000000]: how long each verb of user sessions in memory holds the event loop.
import { parseArgs } from 'node:util'
import { createProviderRegistry } from '@authstate/registry'
import type { RealmSettings } from '@authstate/spi'
import { memoryUserSessions, type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import { plainTable } from '../report/table.js'
import { type Blocks, blocksDuring } from './turns.js'

const { values } = parseArgs({ options: { sessions: { type: 'string', default: '1000000' } } })
if (!/^[1-9]\d{0,6}$/.test(values.sessions)) {
  console.error('--sessions must be a whole number from 1 to 9999999')
  process.exit(2)
}
const SESSIONS = Number(values.sessions)
/** One user has this share of all sessions, one client all of them. */
const OF_ONE_USER = Math.max(1, Math.floor(SESSIONS / 10))
const REALM = 'realm'

let nowMs = 1_700_000_000_000
const clock = { now: () => nowMs }
let settings: RealmSettings = {}

async function open(): Promise<UserSessionProvider> {
  const registry = createProviderRegistry({
    factories: [memoryUserSessions()],
    // A sweep begins when it is called and not by itself.
    config: { spi: { 'user-session': { memory: { sweepIntervalMs: 0 } } } },
    clock,
    realms: () => settings,
  })
  await registry.start()
  return registry.get(userSessionSpi)
}

async function fill(sessions: UserSessionProvider): Promise<void> {
  for (let n = 0; n < SESSIONS; n++) {
    // Ends differ, as those of logins do.
    if (n % 100 === 0) nowMs += 1
    await sessions.create(REALM, {
      userId: n < OF_ONE_USER ? 'everybody' : `user-${n}`,
      loginUsername: `user-${n}@example.org`,
      ipAddress: '203.0.113.7',
      authMethod: 'form',
      client: { clientId: 'app' },
    })
    if (n % 20 === 0) await new Promise(setImmediate)
  }
}

const rows: string[][] = []
const whole = (ms: number) => ms.toFixed(ms < 10 ? 1 : 0)

async function measure(what: string, work: () => Promise<unknown>): Promise<Blocks> {
  const blocks = await blocksDuring(work)
  rows.push([
    what,
    whole(blocks.longestMs),
    whole(blocks.longestOwnMs),
    String(blocks.turns),
    whole(blocks.totalMs),
  ])
  return blocks
}

async function pageThrough(list: (cursor: string | undefined) => Promise<{ cursor?: string }>) {
  let cursor: string | undefined
  do {
    ;({ cursor } = await list(cursor))
    // As a request would.
    await new Promise(setImmediate)
  } while (cursor !== undefined)
}

const page = (cursor: string | undefined) => ({ limit: 100, ...(cursor !== undefined && { cursor }) })

const sessions = await open()
await measure('create, each', () => fill(sessions))
await measure('count', () => sessions.count(REALM))
await measure('countByClient', () => sessions.countByClient(REALM, 'app'))
await measure('clientStats', () => sessions.clientStats(REALM))
await measure('list: the first page', () => sessions.list(REALM, page(undefined)))
await measure('list: page by page', () => pageThrough((c) => sessions.list(REALM, page(c))))
await measure('listByClient: the first page', () => sessions.listByClient(REALM, 'app', page(undefined)))
await measure('listByUser: page by page', () =>
  pageThrough((c) => sessions.listByUser(REALM, 'everybody', page(c))),
)
settings = { ssoSessionIdleTimeoutMs: 3_600_000 }
await measure('recompute', () => sessions.recompute(REALM))
await measure('removeByUser', () => sessions.removeByUser(REALM, 'everybody'))
await measure('removeByClient', () => sessions.removeByClient(REALM, 'app'))
await measure('removeByRealm', () => sessions.removeByRealm(REALM))
await fill(sessions)
nowMs += 86_400_000
await measure('sweep', () => sessions.sweep())
await sessions.close?.()

console.log(`user sessions in memory: ${SESSIONS} of one realm and one client, ${OF_ONE_USER} of one user\n`)
console.log(plainTable(['verb', 'longest turn, ms', 'without GC, ms', 'turns', 'in all, ms'], rows))
process.exit(0)
