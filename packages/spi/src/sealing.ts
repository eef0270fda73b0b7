/**
 * What only the packages of this house need to encrypt texts. An entry of its own, so that what stores nothing encrypted carries no cipher.
 * It may change in any version.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type DerivedKeyring, deriveKeyring, type Keyring } from './keyring.js'

/** The id of a key, and base64url of nonce, text and tag. */
export type Sealed = readonly [keyId: string, sealed: string]

const ALGORITHM = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts texts for one purpose, each bound to its place: moved elsewhere it cannot be read.
 *
 * @see NIST SP 800-38D — AES-256-GCM
 */
export class Sealer {
  readonly #keys: DerivedKeyring

  /**
   * @param purpose A constant of the code, such as `'user-session notes'`.
   * @throws {ConfigurationError} the keyring cannot work
   */
  constructor(keyring: Keyring, purpose: string) {
    this.#keys = deriveKeyring(keyring, purpose)
  }

  /**
   * The text under the keyring's first key, with a nonce of its own.
   *
   * @param place Parts that name where the text belongs.
   */
  seal(text: string, place: readonly string[]): Sealed {
    const { id, secret } = this.#keys.current
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, secret.subarray(0, KEY_BYTES), nonce, {
      authTagLength: TAG_BYTES,
    }).setAAD(context(place))
    const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return [id, Buffer.concat(parts).toString('base64url')]
  }

  /**
   * The text that was sealed.
   *
   * @throws {Error} it was sealed with a key that is not there, for another place, or is damaged
   */
  open([keyId, sealed]: Sealed, place: readonly string[]): string {
    const key = this.#keys.find(keyId)
    if (key === undefined) throw new Error('it was encrypted with an unknown key')
    const bytes = Buffer.from(sealed, 'base64url')
    const tag = bytes.length - TAG_BYTES
    const decipher = createDecipheriv(
      ALGORITHM,
      key.secret.subarray(0, KEY_BYTES),
      bytes.subarray(0, NONCE_BYTES),
      { authTagLength: TAG_BYTES },
    )
    decipher.setAAD(context(place)).setAuthTag(bytes.subarray(tag))
    return decipher.update(bytes.subarray(NONCE_BYTES, tag), undefined, 'utf8') + decipher.final('utf8')
  }
}

function context(place: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(place))
}
