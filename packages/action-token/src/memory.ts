import { randomBytes } from 'node:crypto'
import {
  type CheckedPage,
  comparePositions,
  describedSchema,
  FirstPositions,
  isExpired,
  type PagePosition,
  type ProviderFactory,
} from '@authstate/spi'
import { assertNoProperties, entriesOfNow, inSlices, Pruner } from '@authstate/spi/internal'
import { ActionTokens } from './action-tokens.js'
import { type MemoryActionTokenConfig, memoryActionTokenConfig, type RevokedTokenSource } from './config.js'
import { type ActionTokenProvider, actionTokenSpi, type UseCount } from './contract.js'
import {
  type Attempt,
  applyAttempt,
  type Consumption,
  countedUse,
  isListed,
  type Listed,
  mayReplace,
  positionOf,
  type TokenDraft,
} from './rules.js'
import type { PutOptions, Revocation, StoredListing, TokenName, TokenStore } from './store.js'

/** Keeps tokens in this process. They are lost with it and not shared. */
export function memoryActionTokens(): ProviderFactory<ActionTokenProvider, MemoryActionTokenConfig>
export function memoryActionTokens(
  ...given: unknown[]
): ProviderFactory<ActionTokenProvider, MemoryActionTokenConfig> {
  assertNoProperties(given, 'memoryActionTokens', actionTokenSpi, 'memory')
  return {
    spi: actionTokenSpi,
    id: 'memory',
    config: describedSchema(memoryActionTokenConfig),
    create: async (context, config) => {
      const store = new MemoryStore(config.revokedTokens)
      await store.loadRevoked()
      // Nobody else has to verify what this process signed, and its tokens end with it.
      const keyring = context.keyring ?? { current: 'process', keys: { process: randomBytes(64) } }
      return new ActionTokens(context, config, store, keyring)
    },
  }
}

interface Entry extends TokenDraft, TokenName {
  data: string
  consumption?: Consumption
}

/** Until when a family is refused, or a token id revoked. */
interface Mark {
  readonly realmId: string
  readonly expiresAt: number
}

/** How often something was tried. */
interface Count extends UseCount {
  readonly realmId: string
}

class MemoryStore implements TokenStore {
  readonly #tokens = new Map<string, Entry>()
  readonly #refused = new Map<string, Mark>()
  readonly #revoked = new Map<string, Mark>()
  readonly #counts = new Map<string, Count>()
  readonly #tokenPruner = new Pruner(this.#tokens)
  readonly #refusedPruner = new Pruner(this.#refused)
  readonly #revokedPruner = new Pruner(this.#revoked)
  readonly #countPruner = new Pruner(this.#counts)
  readonly #source: RevokedTokenSource | undefined

  constructor(source: RevokedTokenSource | undefined) {
    this.#source = source
  }

  async loadRevoked(): Promise<void> {
    for await (const { realmId, tokenId, expiresAt } of (await this.#source?.load()) ?? []) {
      this.#revoked.set(textOf(realmId, tokenId), { realmId, expiresAt })
    }
  }

  async put(name: TokenName, token: TokenDraft, { now, goneBy, onlyAbsent }: PutOptions) {
    const { realmId } = name
    const text = textOf(realmId, name.kind, name.key)
    if (!mayReplace(this.#tokens.get(text), now, onlyAbsent)) return false
    if (token.family !== '' && !isExpired(this.#refusedUntil(realmId, token.family), now)) return false
    this.#tokens.set(text, { ...name, ...token })
    this.#tokenPruner.prune(({ expiresAt }) => isExpired(expiresAt, goneBy))
    this.#refusedPruner.prune(({ expiresAt }) => isExpired(expiresAt, now))
    return true
  }

  async load(name: TokenName) {
    return this.#entry(name)
  }

  async replace(name: TokenName, data: string, now: number) {
    const entry = this.#entry(name)
    if (entry === undefined || isExpired(entry.expiresAt, now) || entry.consumption !== undefined)
      return false
    entry.data = data
    return true
  }

  async consume(name: TokenName, attempt: Attempt) {
    const entry = this.#entry(name)
    const { reply, consumption } = applyAttempt(entry, attempt)
    if (entry !== undefined && consumption !== undefined) entry.consumption = consumption
    return reply
  }

  async remove(name: TokenName, now: number) {
    const entry = this.#entry(name)
    this.#tokens.delete(textOf(name.realmId, name.kind, name.key))
    return entry !== undefined && !isExpired(entry.expiresAt, now)
  }

  async take(name: TokenName, now: number) {
    const entry = this.#entry(name)
    if (entry === undefined || isExpired(entry.expiresAt, now) || entry.consumption !== undefined)
      return undefined
    this.#tokens.delete(textOf(name.realmId, name.kind, name.key))
    return entry
  }

  async countUse({ realmId, kind, key }: TokenName, windowMs: number, now: number) {
    const text = textOf(realmId, kind, key)
    const counted = countedUse(this.#counts.get(text), windowMs, now)
    this.#counts.set(text, { realmId, ...counted })
    this.#countPruner.prune(({ resetsAt }) => isExpired(resetsAt, now))
    return counted
  }

  async revokeFamily(realmId: string, family: string, { until, consumed }: Revocation, now: number) {
    // Nothing joins while its members are looked for.
    if (until !== undefined) this.#refuse(realmId, family, until)
    const withdrawn = await this.#withdraw(
      (entry) => {
        if (entry.realmId !== realmId || entry.family !== family) return false
        // What was consumed may be repeated by its attempt, and lead to more, for as long as it lives.
        if (until !== undefined && !consumed && entry.consumption !== undefined)
          this.#refuse(realmId, family, entry.expiresAt)
        return true
      },
      now,
      consumed,
    )
    this.#refusedPruner.prune((mark) => isExpired(mark.expiresAt, now))
    return withdrawn
  }

  async listBySubject(
    realmId: string,
    subject: string,
    { limit, after, ...listed }: CheckedPage & Listed,
    now: number,
  ) {
    const first = new FirstPositions<PagePosition & StoredListing>(limit + 1)
    await inSlices(entriesOfNow(this.#tokens), ([, entry]) => {
      const { kind, key } = entry
      if (entry.realmId !== realmId || entry.subject !== subject || !isListed(kind, entry, listed, now))
        return
      const position = positionOf(kind, key, entry.expiresAt)
      if (comparePositions(position, after) > 0) first.add({ ...position, kind, key, token: { ...entry } })
    })
    const found = first.inOrder()
    const items = found.slice(0, limit)
    return { items, end: found.length > limit ? items.at(-1) : undefined }
  }

  async removeBySubject(realmId: string, subject: string, now: number) {
    return this.#withdraw((entry) => entry.realmId === realmId && entry.subject === subject, now)
  }

  async removeByRealm(realmId: string, now: number) {
    let removed = 0
    await inSlices(entriesOfNow(this.#tokens), ([text, entry]) => {
      if (entry.realmId !== realmId) return
      this.#tokens.delete(text)
      if (entry.consumption === undefined && !isExpired(entry.expiresAt, now)) removed += 1
    })
    for (const marks of [this.#refused, this.#revoked, this.#counts] as Map<string, { realmId: string }>[]) {
      await inSlices(entriesOfNow(marks), ([text, mark]) => {
        if (mark.realmId === realmId) marks.delete(text)
      })
    }
    return removed
  }

  async revoke(realmId: string, tokenId: string, until: number, now: number) {
    const text = textOf(realmId, tokenId)
    const expiresAt = Math.max(until, this.#revoked.get(text)?.expiresAt ?? 0)
    this.#revoked.set(text, { realmId, expiresAt })
    this.#revokedPruner.prune((mark) => isExpired(mark.expiresAt, now))
    await this.#source?.save({ realmId, tokenId, expiresAt })
  }

  async revokedUntil(realmId: string, tokenId: string) {
    return this.#revoked.get(textOf(realmId, tokenId))?.expiresAt ?? 0
  }

  async close() {
    for (const map of [this.#tokens, this.#refused, this.#revoked, this.#counts]) map.clear()
  }

  #entry({ realmId, kind, key }: TokenName): Entry | undefined {
    return this.#tokens.get(textOf(realmId, kind, key))
  }

  #refusedUntil(realmId: string, family: string): number {
    return this.#refused.get(textOf(realmId, family))?.expiresAt ?? 0
  }

  /** Refuses what joins a family, for longer where it is refused for longer already. */
  #refuse(realmId: string, family: string, until: number): void {
    const expiresAt = Math.max(until, this.#refusedUntil(realmId, family))
    this.#refused.set(textOf(realmId, family), { realmId, expiresAt })
  }

  /** @param consumed Also what was consumed, uncounted. */
  async #withdraw(matches: (entry: Entry) => boolean, now: number, consumed = false): Promise<number> {
    let withdrawn = 0
    await inSlices(entriesOfNow(this.#tokens), ([text, entry]) => {
      if (!matches(entry) || (entry.consumption !== undefined && !consumed)) return
      this.#tokens.delete(text)
      if (entry.consumption === undefined && !isExpired(entry.expiresAt, now)) withdrawn += 1
    })
    return withdrawn
  }
}

const textOf = (...parts: string[]): string => JSON.stringify(parts)
