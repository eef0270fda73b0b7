import type {
  JoinAnswer,
  NamesCursor,
  NamesPage,
  RedisConnection,
  SiteJoiner,
  SiteTerms,
} from '@authstate/redis'

/** One of the two sites of a push. */
export interface Side {
  readonly site: string
  /** The terms for its joiners. */
  readonly terms: SiteTerms
  /** Asks its Redis; `undefined`: no answer. */
  ask<R>(question: (connection: RedisConnection) => Promise<R>): Promise<R | undefined>
}

/** A record, and what other sites have to know of it. */
export interface Known {
  readonly name: string
  readonly state: string
}

export const namesAt = (
  { ask }: Side,
  { names }: SiteJoiner,
  partition: number,
  after: NamesCursor | undefined,
  limit: number,
  since = 0,
): Promise<NamesPage | undefined> => ask((connection) => names(connection, partition, after, limit, since))

/** The records that a site knows, of those that are named. */
export function readAt(
  { ask, terms }: Side,
  joiner: SiteJoiner,
  partition: number,
  names: readonly string[],
  isRemoved = false,
): Promise<readonly Known[] | undefined> {
  return ask(async (connection) => {
    const at = connection.clock.now()
    const states = await Promise.all(
      names.map(async (name) => {
        const state = await joiner.read(connection, { partition, name, at, isRemoved }, terms)
        return state === undefined ? [] : [{ name, state }]
      }),
    )
    return states.flat()
  })
}

export const joinAt = (
  { ask, terms }: Side,
  joiner: SiteJoiner,
  partition: number,
  known: readonly Known[],
): Promise<readonly JoinAnswer[] | undefined> =>
  ask((connection) => joinAll(connection, joiner, partition, known, terms))

export const joinAll = (
  connection: RedisConnection,
  joiner: SiteJoiner,
  partition: number,
  known: readonly Known[],
  terms: SiteTerms,
): Promise<readonly JoinAnswer[]> =>
  Promise.all(known.map(({ name, state }) => joiner.join(connection, { partition, name }, state, terms)))
