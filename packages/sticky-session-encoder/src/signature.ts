import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Keyring } from '@authstate/spi'
import { type DerivedKey, type DerivedKeyring, deriveKeyring } from '@authstate/spi/internal'
import { isName } from './rules.js'

/** Length of an HMAC-SHA512 in base64url. */
const SIGNATURE_LENGTH = 86

/** Signs ids and knows its own signatures again. */
export class SessionSigner {
  readonly #keys: DerivedKeyring

  constructor(keyring: Keyring) {
    this.#keys = deriveKeyring(keyring, 'session cookie signature')
  }

  /** `base64url(id + '.' + base64url(HMAC-SHA512))`. */
  sign(id: string, realmId: string | undefined): string {
    return Buffer.from(`${id}.${signatureOf(this.#keys.current, id, realmId)}`).toString('base64url')
  }

  /** The id, if any key of the keyring made this; every key is tried, whichever fits. */
  verify(signed: string, realmId: string | undefined): string | undefined {
    const text = decodeBase64url(signed)
    if (text === undefined) return undefined
    const dot = text.lastIndexOf('.')
    const id = text.slice(0, Math.max(dot, 0))
    const signature = Buffer.from(text.slice(dot + 1))
    if (!isName(id) || signature.length !== SIGNATURE_LENGTH) return undefined
    let fits = false
    for (const key of this.#keys.all) {
      fits = timingSafeEqual(signature, Buffer.from(signatureOf(key, id, realmId))) || fits
    }
    return fits ? id : undefined
  }
}

function signatureOf({ secret }: DerivedKey, id: string, realmId: string | undefined): string {
  // A realm's key is not the key of no realm, and an id cannot be chosen so that it reads as a realm and an id.
  const key =
    realmId === undefined ? secret : createHmac('sha512', secret).update(`realm ${realmId}`).digest()
  return createHmac('sha512', key).update(id).digest('base64url')
}

/** `undefined` unless the text is exactly what encoding gives: each value has one spelling. */
function decodeBase64url(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) return undefined
  const decoded = bytes.toString()
  return Buffer.from(decoded).equals(bytes) ? decoded : undefined
}
