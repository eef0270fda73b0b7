import { isDeepStrictEqual } from 'node:util'
import { unescapePart } from '@authstate/redis'
import type { Sealed, Sealer } from '@authstate/spi/sealing'
import type { SharedValue } from '../second-level.js'

/** Bytes of JSON. */
const MAX_BYTES = 1_048_576

/** `v` a value, `s` an encrypted one, `n`: the source has nothing. */
export type ValueKind = 'v' | 's' | 'n'

/** Writes values of one region as text, and reads them. */
export class SharedValues {
  readonly #region: string
  readonly #sealer: Sealer | undefined

  constructor(region: string, sealer: Sealer | undefined) {
    this.#region = region
    this.#sealer = sealer
  }

  /** `undefined` for what would not come back as it is. */
  encode(key: string, value: unknown): { readonly kind: ValueKind; readonly data: string } | undefined {
    if (value === undefined) return { kind: 'n', data: '' }
    const text = asJson(value)
    if (text === undefined || Buffer.byteLength(text) > MAX_BYTES) return undefined
    if (this.#sealer === undefined) return { kind: 'v', data: text }
    return { kind: 's', data: JSON.stringify(this.#sealer.seal(text, [this.#region, key])) }
  }

  /** `undefined` for what this version, or this keyring, cannot read. */
  decode(
    key: string,
    stored: {
      readonly kind: string
      readonly valueEnds: number
      readonly tags: string
      readonly data: string
    },
  ): SharedValue | undefined {
    try {
      const tags: unknown = JSON.parse(stored.tags)
      if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) return undefined
      const expiresAt = stored.valueEnds === 0 ? Number.POSITIVE_INFINITY : stored.valueEnds
      return { value: this.#read(key, stored.kind, stored.data), tags: tags.map(unescapePart), expiresAt }
    } catch {
      return undefined
    }
  }

  #read(key: string, kind: string, data: string): unknown {
    if (kind === 'n') return undefined
    if (kind === 'v') return JSON.parse(data)
    if (kind !== 's' || this.#sealer === undefined) throw new Error('it cannot be read')
    return JSON.parse(this.#sealer.open(JSON.parse(data) as Sealed, [this.#region, key]))
  }
}

function asJson(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value)
    return text !== undefined && isDeepStrictEqual(JSON.parse(text), value) ? text : undefined
  } catch {
    return undefined
  }
}
