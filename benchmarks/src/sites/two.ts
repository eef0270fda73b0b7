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

/** Far longer than anything here takes, also on a busy machine. */
const PATIENCE_MS = 120_000

/** Waits for something that comes by itself. @throws Error that says what did not come */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  everyMs: number,
): Promise<T> {
  const began = performance.now()
  for (;;) {
    const there = await look()
    if (there !== undefined) return there
    if (performance.now() - began > PATIENCE_MS)
      throw new Error(`${what}: not after ${PATIENCE_MS / 1_000} s`)
    await pause(everyMs)
  }
}

/** Waits until a site sends what changes. */
export async function isOnline({ sites }: Site): Promise<void> {
  let states = ''
  await until(
    'the links are online',
    async () => {
      const links = await sites.links()
      states = links.map(({ to, state, message = '' }) => `${to} ${state} ${message}`).join(', ')
      return links.every(({ state }) => state === 'online') || undefined
    },
    20,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${states}`)
  })
}

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
    await isOnline(a)
    return await work(a, b)
  } finally {
    await a.close()
    await b.close()
    line.stop()
    await other.stop()
  }
}
