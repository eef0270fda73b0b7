import { setTimeout as pause } from 'node:timers/promises'
import { type CrossSite, crossSite } from '@authstate/cross-site'
import { type AuthState, createAuthState } from 'authstate'
import { redisConnectionSpi } from 'authstate/redis'
import { Redis } from 'ioredis'

export const REALM = 'demo'

/** Where a site keeps its state. */
export interface SiteStore {
  readonly url: string
  readonly prefix: string
}

/** One node of a site. */
export interface Site {
  readonly name: string
  readonly state: AuthState
  readonly sites: CrossSite
  /** Its Redis loses every record. */
  loseRecords(): Promise<void>
  stop(): Promise<void>
}

/** Starts a node of a site that knows one other. */
export async function startSite(
  name: string,
  { url, prefix }: SiteStore,
  other: { readonly name: string; readonly url: string; readonly prefix: string },
): Promise<Site> {
  const plan = crossSite({
    site: name,
    sites: { [other.name]: { redis: { url: other.url, prefix: other.prefix } } },
    heartbeatMs: 200,
  })
  const state = await createAuthState({
    provider: 'redis',
    redis: { url, prefix, partitions: 4, changes: { consumers: [plan.consumer] } },
    logger: { debug() {}, info() {}, warn() {}, error: (fields, text) => console.error(text, fields) },
  })
  const sites = await plan.start(state.get(redisConnectionSpi), { logger: SILENT })
  const raw = new Redis(url)
  const keys = (pattern: string) => raw.keys(`${prefix}:${pattern}`)
  return {
    name,
    state,
    sites,
    async loseRecords() {
      // What says which site it is stays, so that nobody notices.
      const records = (await keys('{*')).filter((key) => !/:x[nhp]/.test(key))
      if (records.length > 0) await raw.unlink(records)
    },
    async stop() {
      await sites.close()
      await state.close()
      const left = await keys('*')
      if (left.length > 0) await raw.unlink(left)
      raw.disconnect()
    },
  }
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

/** Waits until something is so; a demo that waits for longer than ten seconds has failed. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await isSo()) return
    await pause(20)
  }
  throw new Error(`it did not come to this: ${what}`)
}

/** Passes once sites have told each other everything. */
export async function inStep(...all: readonly Site[]): Promise<void> {
  for (const { name, sites } of all) {
    await until(`${name} has told everything`, async () => {
      await sites.caughtUp()
      return (await sites.links()).every(({ state, behind }) => state === 'online' && behind === 0)
    })
  }
}
