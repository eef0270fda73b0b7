import type { Finding } from '../finding.js'
import type { Traffic, Wire } from '../wire.js'

/** A verb by the name it has in the tables. `warmUp` sends the source of its script, which happens once per server. */
export interface Verb {
  readonly name: string
  readonly run: () => Promise<unknown>
}

/** What each verb sends, once its script is known to the server. */
export async function trafficOf(wire: Wire, verbs: readonly Verb[]): Promise<ReadonlyMap<string, Traffic>> {
  const traffic = new Map<string, Traffic>()
  for (const { name, run } of verbs) {
    await run()
    traffic.set(name, await wire.during(run))
  }
  return traffic
}

/** D1: one command and one round trip per verb. */
export function oneTripEach(spi: string, traffic: ReadonlyMap<string, Traffic>): Finding[] {
  return [...traffic].map(([verb, { commands, roundTrips, bytesSent, bytesReceived }]) => ({
    target: 'D1',
    name: `${spi}: ${verb}`,
    value: Math.max(commands.length, roundTrips),
    unit: 'commands',
    bound: { atMost: 1 },
    detail: `${commands.join(', ')}; ${bytesSent} bytes sent, ${bytesReceived} received`,
  }))
}
