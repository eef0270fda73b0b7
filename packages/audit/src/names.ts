import { createHmac } from 'node:crypto'
import type { Keyring } from '@authstate/spi'
import { type DerivedKey, type DerivedKeyring, deriveKeyring } from '@authstate/spi/internal'
import type { AuditRecord, NamedRecord } from './contract.js'

/** 132 bits: two records share a name no sooner than two ids of sessions are the same. */
const NAME_LENGTH = 22

/** Names records by a keyed hash that has no end. */
export class Names {
  readonly #keys: DerivedKeyring

  /** @throws {ConfigurationError} the keyring cannot work */
  constructor(keyring: Keyring) {
    this.#keys = deriveKeyring(keyring, 'audit names')
  }

  of(realmId: string, record: AuditRecord): string {
    return nameBy(this.#keys.current, realmId, record)
  }

  /** One for each key, the current one first. */
  allOf(realmId: string, record: AuditRecord): readonly string[] {
    const { current, all } = this.#keys
    const older = all.filter(({ id }) => id !== current.id)
    return [current, ...older].map((key) => nameBy(key, realmId, record))
  }

  named(realmId: string, record: AuditRecord): NamedRecord {
    return { kind: record.kind, name: this.of(realmId, record) }
  }
}

function nameBy({ id: keyId, secret }: DerivedKey, realmId: string, { kind, id }: AuditRecord): string {
  const text = JSON.stringify([kind, realmId, id].flat())
  const hash = createHmac('sha256', secret).update(text).digest('base64url')
  return `${keyId}.${hash.slice(0, NAME_LENGTH)}`
}
