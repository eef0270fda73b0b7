import { type AuthState, createAuthState } from 'authstate'
import { codeOf } from '../code.js'
import type { Fact, Report } from '../finding.js'
import { CLIENT_IDS, loginOf, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'
import { steadyRealm } from '../open-store.js'

const COUNT = 100_000
const FULL = 1_000_000

/** As from a request: no text is shared between two of them. */
const own = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

const KINDS: Readonly<Record<string, (state: AuthState, n: number) => Promise<unknown>>> = {
  'user sessions, one client each': ({ userSessions }, n) => userSessions.create(REALM, own(loginOf(n))),
  'logins under way, one tab each': async ({ authSessions }, n) => {
    const { id } = await authSessions.getOrCreateRoot(REALM, undefined)
    return authSessions.addTab(REALM, id, {
      ...own({ clientId: CLIENT_IDS[0], redirectUri: `https://${CLIENT_IDS[0]}.test/cb` }),
      clientNotes: { codeChallenge: codeOf(n).data.challenge, state: userOf(n) },
    })
  },
  codes: ({ actionTokens }, n) =>
    actionTokens.put(REALM, 'code', codeOf(n).id, { lifespanMs: 600_000, data: own(codeOf(n).data) }),
  'login failures': ({ loginFailures }, n) =>
    loginFailures.recordFailure(REALM, userOf(n), own({ ip: '203.0.113.7' })),
}

/** What the providers in memory take in the heap of a process. */
export async function measure({ full }: Surroundings): Promise<Report> {
  const count = full ? FULL : COUNT
  const facts: Fact[] = []
  for (const [name, store] of Object.entries(KINDS)) {
    const state = await createAuthState({ realms: () => steadyRealm })
    const before = heapBytes()
    const begun = performance.now()
    for (let n = 0; n < count; n++) await store(state, n)
    const us = ((performance.now() - begun) * 1_000) / count
    const bytes = heapBytes() - before
    await state.close()
    facts.push({
      group: `in memory: ${count} of each kind`,
      name,
      values: {
        'bytes each': Math.round(bytes / count),
        'MB in all': Math.round(bytes / 1e6),
        'us to store one': Number(us.toPrecision(3)),
      },
    })
  }
  return { findings: [], facts }
}

function heapBytes(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().heapUsed
}
