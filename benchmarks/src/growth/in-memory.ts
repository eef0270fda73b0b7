import { createProviderRegistry } from '@authstate/spi'
import { memoryUserSessions, userSessionSpi } from '@authstate/user-session'
import type { Report } from '../finding.js'
import { CLIENT_IDS, REALM, userOf } from '../login.js'
import type { Surroundings } from '../measure.js'

const SESSIONS = 100_000
const FULL = 1_000_000

/** What sessions take in the memory of a process, with one client session each and nothing in their notes. */
export async function measure({ full }: Surroundings): Promise<Report> {
  const sessions = full ? FULL : SESSIONS
  const registry = createProviderRegistry({ factories: [memoryUserSessions()] })
  await registry.start()
  const provider = registry.get(userSessionSpi)
  const before = heapBytes()
  const begun = performance.now()
  for (let n = 0; n < sessions; n++) {
    await provider.create(REALM, {
      userId: userOf(n),
      loginUsername: userOf(n),
      client: { clientId: CLIENT_IDS[0] },
    })
  }
  const us = ((performance.now() - begun) * 1_000) / sessions
  const bytes = (heapBytes() - before) / sessions
  await registry.close()
  const values = { 'bytes per session': Math.round(bytes), 'us per creation': Number(us.toPrecision(3)) }
  return { findings: [], facts: [{ group: 'sessions in memory', name: `${sessions} sessions`, values }] }
}

function heapBytes(): number {
  ;(globalThis as { gc?: () => void }).gc?.()
  return process.memoryUsage().heapUsed
}
