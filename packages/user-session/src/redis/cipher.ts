import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { ConfigurationError, type DerivedKeyring, deriveKeyring, type Keyring } from '@authstate/spi'

/** The id of a key, and base64url of nonce, text and tag. */
export type SealedNote = readonly [keyId: string, sealed: string]

/** A note at rest. */
export type StoredNote = string | SealedNote

/** Where a note belongs: it can be read nowhere else. */
export interface NotePlace {
  readonly realmId: string
  readonly sessionId: string
  /** Left out: a note of the user session. */
  readonly clientId?: string | undefined
}

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts notes one by one, so that a script can merge them unread. Names stay readable.
 *
 * @see NIST SP 800-38D — AES-256-GCM
 */
export class NotesCipher {
  readonly #keys: DerivedKeyring | undefined
  /** Whether notes are encrypted. */
  readonly seals: boolean

  /**
   * @param seals Whether notes are encrypted; those that are can be read either way, while there is a keyring.
   * @throws {ConfigurationError} there is nothing to encrypt with
   */
  constructor(keyring: Keyring | undefined, seals: boolean) {
    if (seals && keyring === undefined) {
      throw new ConfigurationError('user-session: "encryptNotes" needs a "keyring" in the configuration')
    }
    this.#keys = keyring && deriveKeyring(keyring, 'user-session notes')
    this.seals = seals
  }

  seal(note: string, name: string, place: NotePlace): StoredNote {
    const key = this.#keys?.current
    if (key === undefined || !this.seals) return note
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, key.secret.subarray(0, 32), nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(context(name, place))
    const text = Buffer.concat([cipher.update(note, 'utf8'), cipher.final()])
    return [key.id, Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')]
  }

  /** @throws when the note was written with a key that is not there, or belongs elsewhere. */
  open([keyId, sealed]: SealedNote, name: string, place: NotePlace): string {
    const key = this.#keys?.find(keyId)
    if (key === undefined) throw new Error('a note was encrypted with an unknown key')
    const bytes = Buffer.from(sealed, 'base64url')
    const tag = bytes.length - TAG_BYTES
    const decipher = createDecipheriv(ALGORITHM, key.secret.subarray(0, 32), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(context(name, place)).setAuthTag(bytes.subarray(tag))
    return decipher.update(bytes.subarray(NONCE_BYTES, tag), undefined, 'utf8') + decipher.final('utf8')
  }
}

function context(name: string, { realmId, sessionId, clientId = '' }: NotePlace): Buffer {
  return Buffer.from(JSON.stringify([realmId, sessionId, clientId, name]))
}
