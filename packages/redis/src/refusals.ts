import { StoreUnavailableError } from '@authstate/spi'
import { refusalOf } from './failure.js'

/** What lies behind a refusal, for an operator. */
const MEANINGS: Readonly<Record<string, string>> = {
  OOM: 'it has reached its maxmemory',
  NOREPLICAS: 'it has fewer replicas than its min-replicas-to-write',
  READONLY: 'it is a replica',
  MISCONF: 'it cannot write to its disk',
  NOPERM: 'its user lacks a right, see docs/acl.md',
  CLUSTERDOWN: 'the Cluster is down',
}

/** Redis 6 and 7 say so in these words when a script calls what its user may not. */
const FORBIDDEN_IN_SCRIPT = /can't run this command|can't access at least one of the keys|\bNOPERM\b/

/** Why Redis refuses a write, for `health()`: the code, and what it means. */
export function refusedWrite(error: unknown): unknown {
  const code = codeOf(error)
  if (code === undefined) return error
  return new StoreUnavailableError(`redis: Redis answers, but refuses writes: ${explained(code)}`, {
    cause: error,
    applied: 'no',
  })
}

const explained = (code: string) => {
  const meaning = MEANINGS[code]
  return meaning === undefined ? code : `${code}, ${meaning}`
}

function codeOf(error: unknown): string | undefined {
  const { cause, message } = error as Error
  const text = cause instanceof Error ? cause.message : message
  return FORBIDDEN_IN_SCRIPT.test(text) ? 'NOPERM' : refusalOf(text)
}

/** Remembers which verbs the user of Redis may not run: no harmless write would show it. */
export class Forbidden {
  readonly #operations = new Set<string>()

  /** How many verbs are refused. */
  get size(): number {
    return this.#operations.size
  }

  noteFailure(operation: string, error: unknown): void {
    if (error instanceof Error && FORBIDDEN_IN_SCRIPT.test(error.message)) this.#operations.add(operation)
  }

  /** It was done: it may be run now. */
  noteSuccess(operation: string): void {
    this.#operations.delete(operation)
  }

  /** @throws {StoreUnavailableError} names the verbs */
  check(): void {
    if (this.#operations.size === 0) return
    const names = [...this.#operations].sort().join(', ')
    throw new StoreUnavailableError(`redis: Redis refuses ${names}: ${explained('NOPERM')}`, {
      applied: 'no',
    })
  }
}
