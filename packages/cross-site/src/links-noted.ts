import type { RedisConnection } from '@authstate/redis'
import { ConfigurationError } from '@authstate/spi'
import type { Link } from './link.js'
import type { Hello } from './link-parts.js'
import type { LinkReason, LinkState } from './public.js'
import { behind, introduce } from './scripts.js'

/** A link to another site, as the Redis of this one remembers it. */
export interface NotedLink {
  readonly to: string
  readonly state: LinkState
  readonly reason?: LinkReason
  /** When it entered this state, ms since the epoch. */
  readonly changedAt?: number
  /** When a node of this site last reached the other one, to the minute, ms since the epoch. */
  readonly seenAt?: number
  /** Records that the other site has not received yet. */
  readonly behind: number
}

/** The field that notes that an operator took a site, or one service of it, offline. */
export const offlineField = (site: string, spi?: string): string =>
  spi === undefined ? `offline:${site}` : `offline:${site}/${spi}`

/** Applies what operators asked for. It is stored beside the state of the link, so that an operator can ask while no node runs. */
export async function hearOperators(link: Link, recorded: ReadonlyMap<string, string>): Promise<void> {
  const isWhole = recorded.has(offlineField(link.to))
  for (const [spi, { state, reason }] of Object.entries(link.info.services)) {
    const isOffline = isWhole || recorded.has(offlineField(link.to, spi))
    if (isOffline !== (state === 'offline' && reason === 'manual')) await link.byHand(isOffline, spi)
  }
}

/** Subtracted from the time a site was last seen: clocks differ, and the time is noted to the minute. */
const MARGIN_MS = 120_000
/** A site that was not seen for this long is away. */
const AWAY_MS = 180_000

/** What nodes of this site note about its links, in its Redis. */
export function linksNoted(connection: RedisConnection) {
  const { keys, clock } = connection
  const recorded = async () => {
    const fields = await connection.hgetall('cross-site.noted', keys.shared('site'))
    if (fields['site'] === undefined) throw notBegun()
    return fields as Readonly<Record<string, string | undefined>> & { readonly site: string }
  }
  const set = async (fields: Readonly<Record<string, string>>) => {
    const { site } = await recorded()
    const args = { site, epoch: '', set: JSON.stringify(fields) }
    await connection.run(introduce, { site: keys.shared('site') }, args)
  }
  const namesOf = ({ others = '' }: Readonly<Record<string, string | undefined>>) =>
    others.split(',').filter((name) => name !== '')
  const behindOf = async (to: string) => {
    const calls = keys.all.map((partition) => ({
      keys: { behind: keys.key(partition, 'xb', to) },
      args: { add: '[]', done: '[]', limit: 0 },
    }))
    return (await connection.runEach(behind, calls)).reduce((sum, { count }) => sum + count, 0)
  }
  return {
    site: async () => (await recorded()).site,
    others: async () => namesOf(await recorded()),
    async links(): Promise<readonly NotedLink[]> {
      const fields = await recorded()
      return Promise.all(
        namesOf(fields).map(async (to): Promise<NotedLink> => {
          const [offline, seen] = [fields[`offline:${to}`], fields[`seen:${to}`]]
          const seenAt = seen === undefined ? {} : { seenAt: Number(seen) }
          const count = { behind: await behindOf(to) }
          if (offline !== undefined)
            return { to, state: 'offline', reason: 'manual', changedAt: Number(offline), ...seenAt, ...count }
          if (seen === undefined) return { to, state: 'connecting', ...count }
          const isAway = clock.now() - Number(seen) > AWAY_MS
          return { to, state: isAway ? 'suspect' : 'online', ...seenAt, ...count }
        }),
      )
    },
    /** What a site may have missed, for a push. */
    async writtenSince(to: string): Promise<{ readonly since?: number }> {
      const fields = await recorded()
      const away = fields[`offline:${to}`] ?? fields[`seen:${to}`]
      return away === undefined ? {} : { since: Math.max(0, Number(away) - MARGIN_MS) }
    },
    byHand: (to: string, isOffline: boolean, spi?: string) =>
      set({ [offlineField(to, spi)]: isOffline ? String(clock.now()) : '' }),
    accept: (to: string) => set({ [`seen:${to}`]: String(clock.now()) }),
    async forgetBehind(to: string): Promise<void> {
      await Promise.all(
        keys.all.map(async (partition) => {
          const of = { behind: keys.key(partition, 'xb', to) }
          let done: readonly (readonly [string, string])[] = []
          do {
            const args = { add: '[]', done: JSON.stringify(done), limit: 1_000 }
            done = (await connection.run(behind, of, args)).entries
          } while (done.length > 0)
        }),
      )
    },
  }
}

const notBegun = (): ConfigurationError =>
  new ConfigurationError('this Redis belongs to no site: no node that uses it has started crossSite yet')

/** Time between two notes that another site was there. */
const SEEN_MS = 60_000

/**
 * What has to be noted of a site that is there; `undefined`: nothing new.
 *
 * `isNew`: it needs everything, because it has come new or its Redis lost its data; `isAnew`: the latter.
 */
export function seenNow(
  to: string,
  { epoch, membership }: Pick<Hello, 'epoch' | 'membership'>,
  recorded: ReadonlyMap<string, string>,
  now: number,
) {
  const version = String(membership)
  const known = recorded.get(`epoch:${to}`)
  const isAnew = known !== undefined && known !== epoch
  const isRecent = now - Number(recorded.get(`seen:${to}`) ?? 0) <= SEEN_MS
  if (known === epoch && isRecent && recorded.get(`version:${to}`) === version) return undefined
  const anew = isAnew ? { [`anew:${to}`]: epoch } : {}
  return {
    isNew: known !== epoch,
    isAnew,
    fields: {
      [`seen:${to}`]: String(now),
      [`epoch:${to}`]: epoch,
      [`version:${to}`]: version,
      ...anew,
    },
  }
}

/** What a node notes of the other sites when it begins. One that was not named before has missed everything since. */
export function namesNoted(to: readonly string[], recorded: ReadonlyMap<string, string>) {
  const before = recorded.get('others')?.split(',')
  const come = to.filter((name) => before?.includes(name) === false)
  return { others: to.join(','), ...Object.fromEntries(come.map((name) => [`epoch:${name}`, ''])) }
}
