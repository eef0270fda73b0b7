import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Keyring } from '@authstate/spi'
import { type DerivedKeyring, deriveKeyring } from '@authstate/spi/internal'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const SALT_BYTES = 16
const TYPE = 'as+jwe'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const bytes = (part: string): Buffer => Buffer.from(part, 'base64url')

/**
 * Texts as JWE in compact form, `dir` with `A256GCM`. Each has a key of its own, derived with the salt in its header.
 *
 * @see RFC 7516 §7.1, RFC 7518 §5.3
 */
export class Jwe {
  readonly #keys: DerivedKeyring
  readonly #purpose: string

  /** @param purpose What is made for one purpose means nothing for another. */
  constructor(keyring: Keyring, purpose: string) {
    this.#keys = deriveKeyring(keyring, `token-store ${purpose}`)
    this.#purpose = purpose
  }

  encrypt(plain: string): string {
    const { id, secret } = this.#keys.current
    const salt = randomBytes(SALT_BYTES)
    const iv = randomBytes(IV_BYTES)
    const header = text(
      Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', typ: TYPE, kid: id, salt: text(salt) })),
    )
    const cipher = createCipheriv(CIPHER, this.#keyOf(secret, salt), iv, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(header))
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    return `${header}..${text(iv)}.${text(sealed)}.${text(cipher.getAuthTag())}`
  }

  /** @returns `undefined` for whatever was not made here, with a key that is there */
  decrypt(jwe: string): string | undefined {
    const [header, key, iv, sealed, tag, ...rest] = jwe.split('.')
    if (header === undefined || key !== '' || iv === undefined || sealed === undefined) return undefined
    if (tag === undefined || rest.length > 0) return undefined
    // One text for one value: bits that decoding drops are not authenticated.
    if (![header, iv, sealed, tag].every((part) => text(bytes(part)) === part)) return undefined
    try {
      const { alg, enc, typ, kid, salt } = JSON.parse(bytes(header).toString('utf8')) as Record<
        string,
        unknown
      >
      if (alg !== 'dir' || enc !== 'A256GCM' || typ !== TYPE) return undefined
      const derived = this.#keys.find(String(kid))
      if (derived === undefined || typeof salt !== 'string' || bytes(tag).length !== TAG_BYTES)
        return undefined
      const decipher = createDecipheriv(CIPHER, this.#keyOf(derived.secret, bytes(salt)), bytes(iv), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(header)).setAuthTag(bytes(tag))
      return decipher.update(bytes(sealed), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return undefined
    }
  }

  #keyOf(secret: Uint8Array, salt: Uint8Array): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', secret, salt, `as cookie ${this.#purpose}`, KEY_BYTES))
  }
}
