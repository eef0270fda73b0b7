import { StoreUnavailableError } from '@authstate/spi'
import type { LoginFailureConfig } from './config.js'
import type { FailPolicy, GuardOutcome, LockRule, LoginFailureOutcome } from './contract.js'
import type { Counting, Reserved, Rule } from './counting.js'
import { stricterPolicy } from './policy.js'
import { Turns } from './turns.js'

/** One attempt that is to be guarded. */
export interface GuardedAttempt {
  /** Canonical address, `''` for none. */
  readonly ip: string
  readonly secondary: boolean
}

/** Lets no more verifications begin than the policy would allow one after the other. */
export class Guard {
  readonly #config: LoginFailureConfig
  readonly #store: Counting
  readonly #local: Counting
  readonly #turns: Turns

  /** @param local Counts while the store is away, where `failPolicy` says so. */
  constructor(config: LoginFailureConfig, store: Counting, local: Counting) {
    this.#config = config
    this.#store = store
    this.#local = local
    this.#turns = new Turns(config.guardWaitMs, config.guardMaxWaiting)
  }

  async run(
    rules: readonly Rule[],
    attempt: GuardedAttempt,
    verify: () => Promise<boolean>,
  ): Promise<GuardOutcome> {
    if (rules.length === 0) return { outcome: (await verified(verify)) ? 'success' : 'failure' }
    try {
      return await this.#runOn(this.#store, rules, attempt, verify)
    } catch (error) {
      if (!(error instanceof NothingReserved)) throw error
      return this.#runWithoutStore(rules, attempt, verify)
    }
  }

  close(): void {
    this.#turns.close()
  }

  async #runWithoutStore(
    rules: readonly Rule[],
    attempt: GuardedAttempt,
    verify: () => Promise<boolean>,
  ): Promise<GuardOutcome> {
    const { failPolicy } = this.#config
    if (failPolicy === 'closed') {
      const rule = rules[0]?.subject.rule ?? 'user'
      return { outcome: 'locked', permanent: false, reason: 'store-unavailable', rule, failPolicy }
    }
    if (failPolicy === 'open')
      return { outcome: (await verified(verify)) ? 'success' : 'failure', failPolicy }
    return { ...(await this.#runOn(this.#local, stricter(rules, this.#config), attempt, verify)), failPolicy }
  }

  async #runOn(
    counting: Counting,
    rules: readonly Rule[],
    { ip, secondary }: GuardedAttempt,
    verify: () => Promise<boolean>,
  ): Promise<GuardOutcome> {
    const names = rules.map(nameOf)
    let busy: LockRule = 'user'
    const reserved = await this.#turns.take(names, async () => {
      const answer = await this.#reserve(counting, rules, secondary)
      if (answer.outcome !== 'busy') return answer
      busy = answer.rule
      return undefined
    })
    if (reserved === undefined) {
      return { outcome: 'locked', permanent: false, reason: 'concurrent-attempts', rule: busy }
    }
    if (reserved.outcome === 'locked') {
      const { locked, ...lock } = reserved.lock
      return { outcome: 'locked', ...lock }
    }
    const { attempt } = reserved
    try {
      let right: boolean
      try {
        right = await verified(verify)
      } catch (error) {
        await counting.release(rules, attempt)
        throw error
      }
      if (right) return await this.#succeed(counting, rules, secondary, attempt)
      return await this.#fail(counting, rules, { ip, secondary, at: undefined }, attempt)
    } finally {
      this.#turns.changed(names)
    }
  }

  async #reserve(counting: Counting, rules: readonly Rule[], secondary: boolean): Promise<Reserved> {
    try {
      return await counting.reserve(rules, secondary, this.#config.reservationMs)
    } catch (error) {
      throw error instanceof StoreUnavailableError ? new NothingReserved() : error
    }
  }

  async #succeed(
    counting: Counting,
    rules: readonly Rule[],
    secondary: boolean,
    attempt: string,
  ): Promise<GuardOutcome> {
    try {
      const { lock } = await counting.succeed(rules, secondary, attempt)
      if (lock === undefined) return { outcome: 'success' }
      const { locked, ...rest } = lock
      return { outcome: 'locked', ...rest }
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      // The attempt was allowed and the credential is right; what is left undone is to forget earlier failures.
      return { outcome: 'success', failPolicy: this.#config.failPolicy }
    }
  }

  async #fail(
    counting: Counting,
    rules: readonly Rule[],
    failure: GuardedAttempt & { readonly at: undefined },
    attempt: string,
  ): Promise<GuardOutcome> {
    try {
      return failureOf(await counting.fail(rules, failure, attempt))
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      // Whether or not it was counted, its reservation takes up an attempt until it runs out.
      const { failPolicy } = this.#config
      if (failPolicy !== 'local') return { outcome: 'failure', failPolicy }
      return failureOf(await this.#local.fail(stricter(rules, this.#config), failure, ''), failPolicy)
    }
  }
}

/** The rules by which one node counts alone. Many people can share an address, so that rule stays as it is. */
export function stricter(rules: readonly Rule[], { localFailureFactor }: LoginFailureConfig): Rule[] {
  return rules.map((rule) => {
    if (rule.subject.rule === 'address') return rule
    return { ...rule, policy: stricterPolicy(rule.policy, localFailureFactor) }
  })
}

/** The store was away before anything was verified: somebody else may decide. */
class NothingReserved extends Error {}

/** A callback that forgets to answer must not count as a failure, nor as a success. */
async function verified(verify: () => Promise<boolean>): Promise<boolean> {
  const right: unknown = await verify()
  if (typeof right !== 'boolean') throw new TypeError('"verify" must answer true or false')
  return right
}

function failureOf({ locked, until, permanent }: LoginFailureOutcome, failPolicy?: FailPolicy): GuardOutcome {
  return {
    outcome: 'failure',
    ...(locked && until !== undefined && { lockedUntil: until }),
    ...(locked && permanent && { permanent }),
    ...(failPolicy !== undefined && { failPolicy }),
  }
}

const nameOf = ({ subject: { realmId, rule, id, decoy } }: Rule): string =>
  JSON.stringify([realmId, decoy ? 'decoy' : rule, id])
