import { setTimeout as pause } from 'node:timers/promises'
import type { CrossSiteConfig } from '@authstate/cross-site'
import type { Finding } from '../finding.js'
import { startDelayLine } from '../setups/delay-line-process.js'
import { startServer } from '../setups/servers.js'
import { openSite, type Site } from './site.js'

export const at = (
  name: string,
  value: number,
  bound: Finding['bound'],
  unit: Finding['unit'],
  detail: string,
): Finding => ({
  target: 'sites',
  name,
  value,
  unit,
  bound,
  detail,
})

/** Two sites with a server each, and a way from the first to the second that takes so long, and back. */
export async function withTwo<R>(
  url: string,
  { rttMs, ...more }: { readonly rttMs: number } & Partial<CrossSiteConfig>,
  work: (a: Site, b: Site) => Promise<R>,
): Promise<R> {
  const other = await startServer()
  // Which takes a processor while it holds something.
  const line =
    rttMs === 0
      ? { port: other.basePort, stop() {} }
      : await startDelayLine({ port: other.basePort, delayMs: rttMs / 2 })
  const b = await openSite(`redis://127.0.0.1:${other.basePort}`, 'b', { name: 'a', url })
  const a = await openSite(url, 'a', { name: 'b', url: `redis://127.0.0.1:${line.port}` }, more)
  try {
    while (!(await a.sites.links()).every(({ state }) => state === 'online')) await pause(20)
    return await work(a, b)
  } finally {
    await a.close()
    await b.close()
    line.stop()
    await other.stop()
  }
}
