import { unescapePart } from '../key-space.js'
import type { How, Wanted } from './annotations.js'
import type { ChangeNote, EndedClient, EndedSession } from './contract.js'

/** An entry of an outbox as Redis answers it. */
export type StoredNote = readonly [id: string, fields: readonly string[]]

const HOWS: Readonly<Record<string, How>> = { t: 'touch', f: 'full', r: 'removal' }

/**
 * Reads a note as its consumer wants it; `undefined` for an entry that says nothing, for one that this version cannot read, and
 * for what that consumer did not ask for.
 */
export function readNote(
  [id, fields]: StoredNote,
  partition: number,
  wanted: Wanted,
): ChangeNote | undefined {
  const [kind = '', text = '', , gone] = fields
  const how = HOWS[text.charAt(0)]
  if (how === undefined) return undefined
  if (!wanted.asksFor({ kind, isEnding: how === 'removal' || gone !== undefined })) return undefined
  const ended = wanted.details && gone ? readEnded(gone) : undefined
  return {
    id,
    partition,
    kind,
    key: text.slice(1).split(':').map(unescapePart),
    how,
    at: Number(id.slice(0, id.indexOf('-'))),
    ...(ended && { ended }),
  }
}

function readEnded(text: string): EndedSession | undefined {
  try {
    const [user, reason, at, ...clients] = JSON.parse(text) as [
      string,
      string,
      string,
      ...(readonly [client: string, node: string, session: string])[],
    ]
    return {
      userId: user === '' ? undefined : unescapePart(user),
      reason,
      at: Number(at),
      clients: clients.map(readClient),
    }
  } catch {
    return undefined
  }
}

function readClient([client, nodeHost, applicationSessionId]: readonly [
  string,
  string,
  string,
]): EndedClient {
  return {
    clientId: unescapePart(client),
    ...(nodeHost !== '' && { nodeHost }),
    ...(applicationSessionId !== '' && { applicationSessionId }),
  }
}
