import { ConfigurationError, type Keyring } from '@authstate/spi'
import { type Sealed, Sealer } from '@authstate/spi/sealing'

/** A note at rest. */
export type StoredNote = string | Sealed

/** Where a note belongs: it can be read nowhere else. */
export interface NoteOwner {
  readonly realmId: string
  readonly sessionId: string
  /** Left out: a note of the user session. */
  readonly clientId?: string | undefined
}

/** Encrypts notes one by one, so that a script can merge them unread. Names stay readable. */
export class NotesCipher {
  readonly #sealer: Sealer | undefined
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
    this.#sealer = keyring && new Sealer(keyring, 'user-session notes')
    this.seals = seals
  }

  seal(note: string, name: string, owner: NoteOwner): StoredNote {
    return this.#sealer && this.seals ? this.#sealer.seal(note, partsOf(name, owner)) : note
  }

  /** @throws when the note was written with a key that is not there, or belongs elsewhere. */
  open(sealed: Sealed, name: string, owner: NoteOwner): string {
    if (this.#sealer === undefined) throw new Error('a note is encrypted, and there is no keyring')
    return this.#sealer.open(sealed, partsOf(name, owner))
  }
}

function partsOf(name: string, { realmId, sessionId, clientId = '' }: NoteOwner): readonly string[] {
  return [realmId, sessionId, clientId, name]
}
