import type { SiteJoiner } from '@authstate/redis'
import type { Figures } from './jobs.js'
import { joinAll, joinAt, readAt, type Side } from './side.js'

/** Called with what came of a push. */
export interface TellNews {
  /** The receiver did not take these records. */
  onRefused(side: Side, names: readonly string[]): Promise<void>
  /** A site knows these records now and did not before. */
  onLearned(side: Side, names: readonly string[]): Promise<void>
}

/** What is sent of a partition. */
export interface Told extends TellNews {
  readonly from: Side
  readonly to: Side
  readonly joiner: SiteJoiner
  readonly partition: number
  readonly since?: number | undefined
}

/** Sends records of one site to the other. `undefined`: one of them did not answer, and it has to be done again. */
export async function tell(told: Told, names: readonly string[]): Promise<Figures | undefined> {
  const { from, to, joiner, partition, since = 0 } = told
  const read = await readAt(from, joiner, partition, names)
  if (read === undefined) return undefined
  const isNew = ({ state }: { readonly state: string }) =>
    joiner.about === undefined || joiner.about(state).changedAt >= since
  const known = since > 0 ? read.filter(isNew) : read
  const answers = await joinAt(to, joiner, partition, known)
  if (answers === undefined) return undefined
  const namesOf = (...outcomes: readonly string[]) =>
    known.flatMap(({ name }, index) => (outcomes.includes(answers[index]?.outcome ?? '') ? [name] : []))

  const better = known.flatMap(({ name }, index) => {
    const state = answers[index]?.known
    return state === undefined ? [] : [{ name, state }]
  })
  const learned = await joinAt(from, joiner, partition, better)
  if (learned === undefined) return undefined
  const refused = namesOf('newer', 'ahead', 'unreadable')
  const changed = namesOf('changed')
  await told.onRefused(from, refused)
  await told.onLearned(to, changed)
  await told.onLearned(
    from,
    better.flatMap(({ name }, index) => (learned[index]?.outcome === 'changed' ? [name] : [])),
  )
  return {
    scanned: names.length,
    sent: known.length,
    changed: changed.length,
    conflicts: refused.length,
    bytes: known.reduce((sum, { state }) => sum + state.length, 0),
  }
}

/**
 * Removes from a site the records that the other one does not know, if they were written before a moment. `undefined`: one of the sites
 * did not answer.
 */
export async function mirror(
  { from, to, joiner, partition }: Omit<Told, keyof TellNews>,
  names: readonly string[],
  before: number,
): Promise<Figures | undefined> {
  const figures = { scanned: names.length, sent: 0, changed: 0, conflicts: 0, bytes: 0 }
  const known = await readAt(from, joiner, partition, names)
  if (known === undefined) return undefined
  const isKnown = new Set(known.map(({ name }) => name))
  const held = await readAt(
    to,
    joiner,
    partition,
    names.filter((name) => !isKnown.has(name)),
  )
  if (held === undefined) return undefined
  const doomed = held.flatMap(({ name, state }) => {
    const about = joiner.about?.(state)
    return about === undefined || about.isRemoved || about.changedAt >= before ? [] : [{ name, state }]
  })
  const { ended } = joiner
  const removed =
    ended === undefined
      ? await readAt(
          to,
          joiner,
          partition,
          doomed.map(({ name }) => name),
          true,
        )
      : await to.ask((connection) => {
          const at = connection.clock.now()
          const states = doomed.map(({ name, state }) => ({ name, state: ended(state, at, to.site) }))
          return joinAll(connection, joiner, partition, states, to.terms)
        })
  return removed && { ...figures, changed: removed.length }
}
