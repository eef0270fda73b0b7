import { createHmac } from 'node:crypto'
import { types } from 'node:util'
import { ConfigurationError } from './errors.js'
import { deriveKeyring, type Keyring } from './keyring.js'

/** A keyring that changes while the process runs. What derives keys from it follows, from the next use on. */
export class LiveKeyring implements Keyring {
  readonly #keys: Map<string, string | Uint8Array>
  #current: string
  #revision = 0

  /** @throws {ConfigurationError} the keyring cannot work */
  constructor(keyring: Keyring) {
    deriveKeyring(keyring, 'check')
    this.#current = keyring.current
    this.#keys = new Map(Object.entries(keyring.keys).map(([id, secret]) => [id, copied(secret)]))
  }

  get current(): string {
    return this.#current
  }

  get keys(): Readonly<Record<string, string | Uint8Array>> {
    return Object.fromEntries(this.#keys)
  }

  /** Grows with each change. */
  get revision(): number {
    return this.#revision
  }

  /**
   * Adds a key that only reads, until {@link use}. Safe to repeat with the same secret.
   *
   * @throws {ConfigurationError} the id or the secret cannot be, or the id names another secret
   */
  add(id: string, secret: string | Uint8Array): void {
    const keys = { [id]: copied(secret) }
    deriveKeyring({ current: id, keys }, 'check')
    const before = this.fingerprint(id)
    if (before === undefined) {
      this.#keys.set(id, keys[id] as string | Uint8Array)
      this.#revision += 1
    } else if (before !== fingerprintOf(id, secret)) {
      throw new ConfigurationError(`keyring.keys.${id}: another secret has this id`)
    }
  }

  /** Makes new values with a key from now on. @returns whether it is there */
  use(id: string): boolean {
    if (!this.#keys.has(id)) return false
    if (this.#current !== id) this.#revision += 1
    this.#current = id
    return true
  }

  /**
   * Forgets a key: what was made with it can no longer be read.
   *
   * @returns whether it was there
   * @throws {ConfigurationError} it makes new values
   */
  remove(id: string): boolean {
    if (id === this.#current)
      throw new ConfigurationError(`keyring.current: names this key; use another one first`)
    const removed = this.#keys.delete(id)
    if (removed) this.#revision += 1
    return removed
  }

  /** Tells two secrets apart, and says nothing of either. `undefined` for a key that is not there. */
  fingerprint(id: string): string | undefined {
    const secret = this.#keys.get(id)
    return secret === undefined ? undefined : fingerprintOf(id, secret)
  }
}

function fingerprintOf(id: string, secret: string | Uint8Array): string {
  const derived = deriveKeyring({ current: id, keys: { [id]: secret } }, 'keyring fingerprint').current
  return createHmac('sha256', derived.secret).update(id).digest('base64url').slice(0, 22)
}

/** Bytes of the caller's may be wiped by it. */
const copied = (secret: string | Uint8Array): string | Uint8Array =>
  types.isUint8Array(secret) ? new Uint8Array(secret) : secret
