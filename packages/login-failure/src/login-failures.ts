import {
  assertFunction,
  assertName,
  type Clock,
  type EventOf,
  encodeCursor,
  Lifecycle,
  type Page,
  type PageOptions,
  type ProviderContext,
  StoreUnavailableError,
  type UnreadableStats,
} from '@authstate/spi'
import { isPromiseLike } from '@authstate/spi/internal'
import { parseIp } from './address.js'
import { type Attempt, checkAttempt, checkIds, checkPageOptions } from './checks.js'
import type { LoginFailureConfig } from './config.js'
import type {
  CheckOutcome,
  Explanation,
  FailPolicy,
  FailureOptions,
  GuardOptions,
  GuardOutcome,
  LockedOut,
  LoginFailureEvents,
  LoginFailureOutcome,
  LoginFailureProvider,
  RuleExplanation,
  SuccessOptions,
  UnknownUserOptions,
} from './contract.js'
import { about, Counting, each } from './counting.js'
import { Events } from './events.js'
import { adminStatus, explainRule } from './explain.js'
import { Guard, stricter } from './guard.js'
import { MemoryStore } from './memory-store.js'
import type { Policy } from './policy.js'
import { RuleBook, type Who } from './rule-book.js'
import { lockOf, toLoginFailure } from './rules.js'
import type { FailureStore, StoredLock, Subject } from './store.js'

/** The contract, over whatever store: checks, policies, both rules of an attempt, and what to do without the store. */
export class LoginFailures implements LoginFailureProvider {
  /** What locks and reservations go by. */
  readonly clock: Clock
  readonly #context: ProviderContext
  readonly #config: LoginFailureConfig
  readonly #book: RuleBook
  readonly #store: FailureStore
  readonly #counting: Counting
  /** Counts while the store is away. */
  readonly #alone = new MemoryStore()
  readonly #countingAlone: Counting
  readonly #events: Events
  readonly #guard: Guard
  readonly #lifecycle = new Lifecycle('login-failure')

  constructor(context: ProviderContext, config: LoginFailureConfig, store: FailureStore) {
    this.clock = context.clock
    this.#context = context
    this.#config = config
    this.#book = new RuleBook(context, config)
    this.#store = store
    this.#events = new Events(context.logger)
    this.#counting = new Counting(store, context.clock, this.#events)
    this.#countingAlone = new Counting(this.#alone, context.clock, this.#events)
    this.#guard = new Guard(config, this.#counting, this.#countingAlone)
  }

  recordFailure(realmId: string, userId: string, options: FailureOptions = {}) {
    return this.#recordFailure(realmId, { userId }, options)
  }

  recordUnknownUser(realmId: string, options: Omit<FailureOptions, 'category'> = {}) {
    return this.#recordFailure(realmId, undefined, options)
  }

  async recordSuccess(realmId: string, userId: string, options: SuccessOptions = {}) {
    this.#enterUser(realmId, userId)
    const { secondary } = checkAttempt(options, 'success')
    const rules = await this.#book.of(realmId, { userId }, undefined)
    return this.#orElse(
      async () => (await this.#counting.succeed(rules, secondary, '')).cleared,
      async (failPolicy, error) => {
        if (failPolicy === 'closed') throw error
        return (await this.#countingAlone.succeed(stricter(rules, this.#config), secondary, '')).cleared
      },
    )
  }

  async get(realmId: string, userId: string) {
    this.#enterUser(realmId, userId)
    return this.#load({ realmId, rule: 'user', id: userId })
  }

  async getAddress(realmId: string, ip: string) {
    this.#enterRealm(realmId)
    const network = this.#book.network(realmId, parseIp(ip))
    return network && this.#load(network)
  }

  async check(
    realmId: string,
    userId: string,
    options: { readonly ip?: string | undefined } = {},
  ): Promise<CheckOutcome> {
    this.#enterUser(realmId, userId)
    const rules = await this.#book.of(realmId, { userId }, checkAttempt(options, 'look').ip)
    return this.#orElse<CheckOutcome>(
      () => this.#counting.check(rules),
      async (failPolicy) => {
        if (failPolicy === 'open') return { locked: false, failPolicy }
        if (failPolicy === 'local') {
          return { ...(await this.#countingAlone.check(stricter(rules, this.#config))), failPolicy }
        }
        return { locked: true, permanent: false, reason: 'store-unavailable', rule: 'user', failPolicy }
      },
    )
  }

  async guard(realmId: string, userId: string, options: GuardOptions, verify: () => Promise<boolean>) {
    this.#enterUser(realmId, userId)
    return this.#guarded(realmId, { userId }, checkAttempt(options, 'guard'), verify)
  }

  async guardUnknownUser(realmId: string, options: UnknownUserOptions, verify: () => Promise<boolean>) {
    this.#enterRealm(realmId)
    const attempt = checkAttempt(options, 'unknown')
    const { username } = options
    // Whoever asks has typed it, so whatever text it is, it is a name.
    if (username !== undefined && typeof username !== 'string') {
      throw new TypeError('"username" must be a string')
    }
    assertFunction(verify, 'verify')
    const outcome = await this.#guarded(realmId, { username }, attempt, async () => {
      await verify()
      return false
    })
    return outcome as Exclude<GuardOutcome, { outcome: 'success' }>
  }

  async explain(
    realmId: string,
    userId: string,
    options: { readonly ip?: string | undefined } = {},
  ): Promise<Explanation> {
    this.#enterUser(realmId, userId)
    const rules = await this.#book.of(realmId, { userId }, checkAttempt(options, 'look').ip)
    const now = this.#context.clock.now()
    const explained = await each(rules, async (rule) =>
      explainRule(rule, await this.#store.load(rule.subject, now), now),
    )
    const longestFirst = explained.sort((a, b) => endOf(b) - endOf(a))
    return { enabled: rules.length > 0, locked: explained.some(({ locked }) => locked), rules: longestFirst }
  }

  async status(realmId: string, userId: string) {
    this.#enterUser(realmId, userId)
    const policy = (await this.#book.policiesOf(realmId)).user
    const now = this.#context.clock.now()
    const state = await this.#store.load({ realmId, rule: 'user', id: userId }, now)
    return adminStatus(state, policy, now)
  }

  async listLocked(realmId: string, page?: PageOptions): Promise<Page<LockedOut>> {
    this.#enterRealm(realmId)
    const checked = checkPageOptions(page)
    const policies = await this.#book.policiesOf(realmId)
    if (policies.user === undefined) return { items: [] }
    const now = this.#context.clock.now()
    const { items, end } = await this.#store.listLocked(realmId, policies, checked, now)
    const locked = items.flatMap((item) => lockedOut(item, policies[item.subject.rule], now))
    return end === undefined ? { items: locked } : { items: locked, cursor: encodeCursor(end) }
  }

  async clear(realmId: string, userId: string) {
    this.#enterUser(realmId, userId)
    return this.#remove({ realmId, rule: 'user', id: userId }, (await this.#book.policiesOf(realmId)).user)
  }

  async clearAddress(realmId: string, ip: string) {
    this.#enterRealm(realmId)
    const network = this.#book.network(realmId, parseIp(ip))
    if (network === undefined) return false
    return this.#remove(network, (await this.#book.policiesOf(realmId)).address)
  }

  async removeByRealm(realmId: string) {
    this.#enterRealm(realmId)
    const now = this.#context.clock.now()
    await this.#alone.removeRealm(realmId, now)
    return this.#store.removeRealm(realmId, now)
  }

  async recompute(realmId: string) {
    this.#enterRealm(realmId)
    const policies = await this.#book.policiesOf(realmId)
    return this.#store.applyPolicies(realmId, policies, this.#context.clock.now())
  }

  on<E extends keyof LoginFailureEvents | '*'>(
    event: E,
    listener: (event: EventOf<LoginFailureEvents, E>) => void,
  ) {
    this.#lifecycle.assertOpen()
    return this.#events.on(event, listener)
  }

  stats(): UnreadableStats {
    this.#lifecycle.assertOpen()
    return { unreadable: this.#store.unreadable ?? 0 }
  }

  async checkHealth() {
    this.#lifecycle.assertOpen()
    await this.#store.checkHealth?.()
  }

  async close() {
    if (this.#lifecycle.isClosed) return
    this.#lifecycle.close()
    this.#guard.close()
    this.#events.clear()
    await this.#alone.close()
    await this.#store.close?.()
  }

  /** One async function from the arguments to the outcome: each further one costs a failure as much as its checks. */
  async #recordFailure(
    realmId: string,
    who: { readonly userId: string } | undefined,
    options: FailureOptions,
  ): Promise<LoginFailureOutcome> {
    if (who === undefined) this.#enterRealm(realmId)
    else this.#enterUser(realmId, who.userId)
    const { ip, at, secondary } = checkAttempt(options, 'failure')
    const found = this.#book.of(realmId, who, ip)
    const rules = isPromiseLike(found) ? await found : found
    const failure = { ip: ip?.toString() ?? '', at, secondary }
    try {
      return await this.#counting.fail(rules, failure, '')
    } catch (error) {
      const failPolicy = this.#policyWithout(error)
      if (failPolicy === 'closed') throw error
      const local = failPolicy === 'local' ? stricter(rules, this.#config) : []
      return { ...(await this.#countingAlone.fail(local, failure, '')), failPolicy }
    }
  }

  async #guarded(
    realmId: string,
    who: Who,
    { ip, secondary }: Attempt,
    verify: () => Promise<boolean>,
  ): Promise<GuardOutcome> {
    assertFunction(verify, 'verify')
    const rules = await this.#book.of(realmId, who, ip)
    return this.#guard.run(rules, { ip: ip?.toString() ?? '', secondary }, verify)
  }

  async #load(subject: Subject) {
    const state = await this.#store.load(subject, this.#context.clock.now())
    return state && toLoginFailure(state)
  }

  async #remove(subject: Subject, policy: Policy | undefined): Promise<boolean> {
    await this.#alone.remove(subject, this.#context.clock.now())
    return this.#counting.remove(subject, policy)
  }

  async #orElse<T>(
    verb: () => Promise<T>,
    withoutStore: (failPolicy: FailPolicy, error: StoreUnavailableError) => Promise<T>,
  ): Promise<T> {
    try {
      return await verb()
    } catch (error) {
      return withoutStore(this.#policyWithout(error), error as StoreUnavailableError)
    }
  }

  /** @throws what is no absence of the store */
  #policyWithout(error: unknown): FailPolicy {
    if (error instanceof StoreUnavailableError) return this.#config.failPolicy
    throw error
  }

  #enterUser(realmId: unknown, userId: unknown): void {
    this.#lifecycle.assertOpen()
    checkIds(realmId, userId)
  }

  #enterRealm(realmId: unknown): void {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
  }
}

/** One of a listing; nothing where the store listed somebody who is not locked. */
function lockedOut({ subject, state }: StoredLock, policy: Policy | undefined, now: number): LockedOut[] {
  const lock = policy && lockOf(state, policy, now, subject.rule)
  if (!lock?.locked) return []
  const { until, permanent, reason } = lock
  const { numFailures, lastFailureAt } = state
  return [
    {
      subject: about(subject).subject,
      ...(until !== undefined && { until }),
      permanent,
      reason,
      numFailures,
      lastFailureAt,
    },
  ]
}

function endOf({ locked, permanent, until = 0 }: RuleExplanation): number {
  if (!locked) return 0
  return permanent ? Number.POSITIVE_INFINITY : until
}
