import type { ChangeNote, RedisConnection, SiteFigures } from '@authstate/redis'
import type { Link } from './link.js'

/** Time between two counts of what other sites have not received. */
const COUNT_MS = 5_000
/** How long the last delay counts. */
const LATELY_MS = 10_000

/** What this node knows of its links without asking any server. */
export class LinkWatch {
  readonly #connection: RedisConnection
  readonly #behind = new Map<string, number>()
  #countedAt = Number.NEGATIVE_INFINITY
  #lag = { ms: 0, at: Number.NEGATIVE_INFINITY }

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /** Notes of changes were sent, or remembered. */
  told(notes: readonly ChangeNote[]): void {
    const now = this.#connection.clock.now()
    const oldest = notes.reduce((sooner, { at }) => Math.min(sooner, at), now)
    const ms = now - oldest
    if (now - this.#lag.at > LATELY_MS / 10 || ms >= this.#lag.ms) this.#lag = { ms, at: now }
  }

  /** Counts now and then what other sites have not received. */
  async count(links: readonly Link[], count: (to: string) => Promise<number>): Promise<void> {
    const now = this.#connection.clock.now()
    if (now - this.#countedAt < COUNT_MS) return
    this.#countedAt = now
    for (const { to } of links) this.#behind.set(to, await count(to))
  }

  figures(links: readonly Link[]): Readonly<Record<string, SiteFigures>> {
    const lagMs = this.#connection.clock.now() - this.#lag.at > LATELY_MS ? 0 : this.#lag.ms
    return Object.fromEntries(
      links.map(({ to, unguarded, info: { state, rttMs, clockOffsetMs } }) => [
        to,
        {
          state,
          behind: this.#behind.get(to) ?? 0,
          lagMs,
          unguarded,
          ...(rttMs !== undefined && { rttMs }),
          ...(clockOffsetMs !== undefined && { clockOffsetMs }),
        },
      ]),
    )
  }
}

/** What an operator should know of links. */
export function warningsOf(links: readonly Link[], isBehind: boolean): readonly string[] {
  const ofLinks = links.flatMap(({ to, info: { state, message }, refused, unguarded }) => [
    ...(state === 'blocked' ? [`the link to the site "${to}" is blocked: ${message}`] : []),
    ...(state === 'offline' ? [`nothing is sent to the site "${to}"; changes are remembered`] : []),
    ...(refused > 0 ? [`the site "${to}" did not take ${refused} records; they are sent again`] : []),
    ...(unguarded > 0 && state === 'offline'
      ? [
          `the site "${to}" is offline, and this node decided ${unguarded} times about tokens in its place: what it redeemed may be redeemed there, too`,
        ]
      : []),
  ])
  const lost = 'Redis of this site lost what it had sent to other sites; they are asked for it'
  return [...(isBehind ? [lost] : []), ...ofLinks]
}
