import { hkdfSync } from 'node:crypto'
import { types } from 'node:util'
import { assertObject } from './assert.js'
import { ConfigurationError } from './errors.js'
import { assertOptions, type Known } from './known.js'

/** Fewest bytes of a secret. */
const MIN_SECRET_BYTES = 32
const DERIVED_BYTES = 64

/**
 * Secrets that every node of a deployment shares. New values are made with `current`; the other keys only read
 * what was made before a rotation.
 */
export interface Keyring {
  /** Id of the key that makes new values. */
  readonly current: string
  /** Secrets by id: bytes, or text of at least 32 bytes. An id has 1 to 32 of `A-Z a-z 0-9 _ -`. */
  readonly keys: Readonly<Record<string, string | Uint8Array>>
}

/** A key for one purpose. */
export interface DerivedKey {
  readonly id: string
  /** 64 bytes. */
  readonly secret: Uint8Array
}

const KEYRING: Known<Keyring> = { current: true, keys: true }

/** The keys of a {@link Keyring} for one purpose. */
export interface DerivedKeyring {
  readonly current: DerivedKey
  /** Every key, in the order of the keyring. */
  readonly all: readonly DerivedKey[]
  /** The key of that id, current or older. */
  find(id: string): DerivedKey | undefined
}

/**
 * Derives keys for one purpose, so that a value made for one purpose means nothing for another.
 *
 * @param purpose A constant of the code, such as `'action-token signature'`. A keyring that has a
 * `revision` may change: the keys are derived again at the first use after that.
 *
 * @throws {ConfigurationError} the keyring cannot work; says why, never a secret
 * @see RFC 5869 — HKDF with SHA-512
 */
export function deriveKeyring(keyring: Keyring, purpose: string): DerivedKeyring {
  if (!isChanging(keyring)) return derived(keyring, purpose)
  let revision = keyring.revision
  let keys = derived(keyring, purpose)
  const now = (): DerivedKeyring => {
    if (revision !== keyring.revision) {
      revision = keyring.revision
      keys = derived(keyring, purpose)
    }
    return keys
  }
  return {
    get current() {
      return now().current
    },
    get all() {
      return now().all
    },
    find: (id) => now().find(id),
  }
}

const isChanging = (keyring: Keyring): keyring is Keyring & { readonly revision: number } =>
  typeof (keyring as { readonly revision?: unknown } | null)?.revision === 'number' &&
  !Object.hasOwn(keyring, 'revision')

function derived(keyring: Keyring, purpose: string): DerivedKeyring {
  assertOptions(keyring, 'keyring', KEYRING)
  assertObject(keyring.keys, 'keyring.keys')
  const keys = new Map<string, DerivedKey>()
  for (const [id, secret] of Object.entries(keyring.keys)) {
    if (!/^[\w-]{1,32}$/.test(id))
      throw new ConfigurationError('keyring: the id of a key must have 1 to 32 of A-Z a-z 0-9 _ -')
    const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret
    if (!types.isUint8Array(bytes) || bytes.length < MIN_SECRET_BYTES) {
      throw new ConfigurationError(
        `keyring.keys.${id}: a secret must have at least ${MIN_SECRET_BYTES} bytes`,
      )
    }
    keys.set(id, {
      id,
      secret: new Uint8Array(hkdfSync('sha512', bytes, '', `authstate ${purpose}`, DERIVED_BYTES)),
    })
  }
  const current = keys.get(keyring.current)
  if (current === undefined) {
    throw new ConfigurationError(
      `keyring.current: names no key; known: ${[...keys.keys()].join(', ') || 'none'}`,
    )
  }
  return { current, all: [...keys.values()], find: (id) => keys.get(id) }
}
