import {
  followedBySites,
  type KeySpace,
  type RedisConnection,
  redisConnectionSpi,
  type SiteVerbs,
} from '@authstate/redis'
import {
  allSteps,
  type CheckedPage,
  comparePositions,
  describedSchema,
  isExpired,
  nextStep,
  type PagePosition,
  type ProviderContext,
  type ProviderFactory,
  UnreadableCounter,
} from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type LoginFailureConfig, loginFailureConfig } from './config.js'
import { type LoginFailureProvider, loginFailureSpi } from './contract.js'
import { LoginFailures } from './login-failures.js'
import { type Policy, policyText } from './policy.js'
import { FIELDS, FIELDS_OF_BOTH, readState, recordVersions } from './redis/failure-text.js'
import { cursorPlace, indexPlace, lockedBy } from './redis/lock-members.js'
import { countedBy } from './redis/site-policies.js'
import { RuleBook } from './rule-book.js'
import { type FailureState, isLocked, type StoredSuccess, usualStep } from './rules.js'
import * as scripts from './scripts.js'
import {
  type FailureStore,
  type LockPage,
  MOST_DECOYS,
  type Policies,
  type Reservation,
  type StoredFailure,
  type StoredLock,
  type Subject,
} from './store.js'

/** Counts failures in Redis, for every node of the deployment. */
export function redisLoginFailures(): ProviderFactory<LoginFailureProvider, LoginFailureConfig>
export function redisLoginFailures(
  ...given: unknown[]
): ProviderFactory<LoginFailureProvider, LoginFailureConfig> {
  assertNoProperties(given, 'redisLoginFailures', loginFailureSpi, 'redis')
  return {
    spi: loginFailureSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(loginFailureConfig),
    create: (context, config) => {
      const connection = context.get(redisConnectionSpi)
      countedBy(connection, new RuleBook(context, config))
      const failures = new LoginFailures(context, config, new RedisStore(context))
      return followedBySites(failures, connection, loginFailureSpi.name, VERBS)
    },
  }
}

/** Verbs after which other sites may be waited for. A second call of those that count counts twice. */
const VERBS: SiteVerbs<LoginFailureProvider> = {
  recordFailure: 'unsafe',
  recordUnknownUser: 'unsafe',
  recordSuccess: 'safe',
  guard: 'unsafe',
  // Nobody learns from the time whether a name belongs to a user.
  guardUnknownUser: 'as-long',
  clear: 'safe',
  clearAddress: 'safe',
  removeByRealm: 'safe',
  recompute: 'safe',
}

/** Kinds of keys: records, reserved attempts, and where the records of a realm are listed. */
const KINDS = {
  user: { record: 'lf', attempts: 'lg', realm: 'lr' },
  address: { record: 'la', attempts: 'lh', realm: 'lr' },
  decoy: { record: 'ld', attempts: 'le', realm: 'lu' },
} as const

/** Kind of the index of who is locked out. */
const LOCKED = 'll'

class RedisStore implements FailureStore {
  readonly #redis: RedisConnection
  readonly #keys: KeySpace
  readonly #unreadable: UnreadableCounter

  constructor(context: ProviderContext) {
    this.#redis = context.get(redisConnectionSpi)
    this.#keys = this.#redis.keys
    this.#unreadable = new UnreadableCounter(context.logger, loginFailureSpi.name, 'a stored record')
  }

  get unreadable(): number {
    return this.#unreadable.total
  }

  load(subject: Subject, now: number): Promise<FailureState | undefined> {
    const record = this.#recordOf(subject)
    // Where the layout before is written still, its fields are asked for as well: one trip for either.
    const asked = this.#redis.layout < 2 ? FIELDS_OF_BOTH : FIELDS
    return this.#redis.hmget<FailureState | undefined>('login-failure.get', record, asked, (values) => {
      if (values[0] === null) return undefined
      const state = readState(values)
      if (state !== undefined) return living(state, now)
      if (asked === FIELDS) return this.#loadOlder(record, now)
      const found = Object.fromEntries(asked.flatMap((name, index) => entryOf(name, values[index])))
      return this.#upcast(found, now)
    })
  }

  async #loadOlder(record: string, now: number): Promise<FailureState | undefined> {
    const fields = await this.#redis.hgetall('login-failure.get', record)
    return Object.keys(fields).length === 0 ? undefined : this.#upcast(fields, now)
  }

  /** What another version stored, as it is read now. */
  #upcast(fields: Readonly<Record<string, string>>, now: number): FailureState | undefined {
    const { _v, s, i } = recordVersions.upcast(fields) ?? {}
    const state = readState([_v, s, i])
    return state === undefined ? this.#unreadable.count() : living(state, now)
  }

  async fail(subject: Subject, policy: Policy, failure: StoredFailure) {
    const { now, at, ip, secondary, attempt } = failure
    const isUsual = at === now && !secondary && !subject.decoy
    const most = subject.decoy ? Math.ceil(MOST_DECOYS / this.#keys.all.length) : 0
    const step = await this.#redis.run(
      scripts.recordFailure,
      { record: this.#recordOf(subject) },
      {
        now,
        ip,
        attempt,
        policy: policyText(policy),
        layout: this.#redis.layout,
        seldom: isUsual ? '' : `${at} ${secondary ? 1 : 0} ${most}`,
      },
    )
    return typeof step === 'number' ? usualStep(step, policy, failure) : step
  }

  async succeed(subject: Subject, policy: Policy, { now, attempt, secondary }: StoredSuccess) {
    const { tail, ...keys } = this.#keysOf(subject)
    return this.#redis.run(scripts.recordSuccess, keys, {
      now,
      attempt,
      secondary: secondary ? 1 : 0,
      tail,
      ...argumentsOf(policy),
    })
  }

  async reserve(subject: Subject, policy: Policy, reservation: Reservation) {
    const { now, lapsedAt, attempt, leaseMs, secondary } = reservation
    return this.#redis.run(scripts.reserve, this.#keysOf(subject), {
      now,
      lapsedAt,
      attempt,
      leaseMs,
      secondary: secondary ? 1 : 0,
      ...argumentsOf(policy),
    })
  }

  async release(subject: Subject, attempt: string) {
    await this.#redis.run(scripts.release, this.#keysOf(subject), { attempt })
  }

  async listLocked(realmId: string, policies: Policies, page: CheckedPage, now: number): Promise<LockPage> {
    const { limit, after } = page
    const found: (StoredLock & { readonly position: PagePosition })[] = []
    for (let place: PagePosition | undefined = indexPlace(after); place && found.length <= limit; ) {
      const candidates = await this.#lockedBehind(realmId, place, limit + 1, now)
      const states = await allSteps(candidates.map(({ subject }) => this.load(subject, now)))
      for (const [index, { subject, position }] of candidates.entries()) {
        const [state, policy] = [states[index], policies[subject.rule]]
        // Members are read in one step, records in another.
        if (state && policy && isLocked(state, policy, now)) found.push({ subject, state, position })
      }
      place = candidates[limit]?.position
    }
    const items = found.slice(0, limit)
    const end = found.length > limit ? items.at(-1)?.position : undefined
    return { items, end: end && cursorPlace(end) }
  }

  /** The first members behind a place that the indexes of locks name. */
  async #lockedBehind(realmId: string, place: PagePosition, limit: number, now: number) {
    const args = { now, afterScore: place.score, afterPlace: place.id, limit }
    const entries = await this.#redis.runEach(
      scripts.lockedPage,
      this.#keys.all.map((partition) => ({
        keys: { locked: this.#keys.key(partition, LOCKED, realmId) },
        args,
      })),
    )
    return entries
      .flat()
      .flatMap(({ member, score }) => lockedBy(member, score) ?? [])
      .sort((a, b) => comparePositions(a.position, b.position))
      .slice(0, limit)
  }

  async remove(subject: Subject, now: number) {
    const { tail, ...keys } = this.#keysOf(subject)
    return this.#redis.run(scripts.clear, keys, { now, tail })
  }

  async removeRealm(realmId: string, now: number) {
    const [counts] = await allSteps([
      this.#removeListed(KINDS.user.realm, realmId, now),
      this.#removeListed(KINDS.decoy.realm, realmId, now),
    ])
    return sum(counts ?? [])
  }

  async applyPolicies(realmId: string, { user, address }: Policies, now: number) {
    await this.#removeListed(KINDS.decoy.realm, realmId, now)
    const counts = await this.#onEachPartition(async (partition) => {
      const keys = this.#realmKeys(partition, KINDS.user.realm, realmId)
      let [updated, removed, cursor] = [0, 0, '0']
      do {
        const step = this.#redis.run(scripts.recompute, keys, {
          now,
          cursor,
          users: user === undefined ? 0 : 1,
          permanentLockout: user?.permanentLockout ? 1 : 0,
          maxTemporaryLockouts: user?.maxTemporaryLockouts ?? 0,
          maxDeltaTimeMs: user?.maxDeltaTimeMs ?? 0,
          addresses: address === undefined ? 0 : 1,
          addressMaxDeltaTimeMs: address?.maxDeltaTimeMs ?? 0,
          addressKind: `${KINDS.address.record}:`,
        })
        const chunk = await nextStep(step, cursor !== '0')
        updated += chunk.updated
        removed += chunk.removed
        cursor = chunk.cursor
      } while (cursor !== '0')
      return { updated, removed }
    })
    return {
      updated: sum(counts.map(({ updated }) => updated)),
      removed: sum(counts.map(({ removed }) => removed)),
    }
  }

  /** Removes what is listed in each partition; answers how many of them were alive, for each. */
  #removeListed(kind: string, realmId: string, now: number): Promise<number[]> {
    return this.#onEachPartition(async (partition) => {
      const keys = this.#realmKeys(partition, kind, realmId)
      let removed = 0
      for (let [more, isBegun] = [true, false]; more; isBegun = true) {
        const chunk = await nextStep(this.#redis.run(scripts.removeRealm, keys, { now }), isBegun)
        removed += chunk.removed
        more = chunk.more
      }
      return removed
    })
  }

  #recordOf({ realmId, rule, id, decoy }: Subject): string {
    return this.#keys.key(this.#keys.partitionFor(id), KINDS[decoy ? 'decoy' : rule].record, realmId, id)
  }

  #keysOf({ realmId, rule, id, decoy }: Subject) {
    const partition = this.#keys.partitionFor(id)
    const kinds = KINDS[decoy ? 'decoy' : rule]
    const record = this.#keys.key(partition, kinds.record, realmId, id)
    return {
      record,
      realm: this.#keys.key(partition, kinds.realm, realmId),
      attempts: this.#keys.key(partition, kinds.attempts, realmId, id),
      locked: this.#keys.key(partition, LOCKED, realmId),
      tail: record.slice(this.#head(partition).length),
    }
  }

  #realmKeys(partition: number, kind: string, realmId: string) {
    const locked = kind === KINDS.user.realm ? LOCKED : kind
    return {
      realm: this.#keys.key(partition, kind, realmId),
      locked: this.#keys.key(partition, locked, realmId),
      head: this.#head(partition),
    }
  }

  /** What every key of a partition starts with. */
  #head(partition: number): string {
    return this.#keys.key(partition, '')
  }

  /** All partitions at once; each goes through its own in steps. */
  #onEachPartition<T>(work: (partition: number) => Promise<T>): Promise<T[]> {
    return allSteps(this.#keys.all.map(work))
  }
}

const entryOf = (name: string, value: string | null | undefined) =>
  value == null ? [] : [[name, value] as const]

const living = (state: FailureState, now: number) => (isExpired(state.expiresAt, now) ? undefined : state)

/** A policy as every script takes it; each picks what it names. */
function argumentsOf({ strategy, ...policy }: Policy) {
  return { ...policy, permanentLockout: policy.permanentLockout ? 1 : 0 }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
