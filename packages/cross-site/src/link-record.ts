import type { RedisConnection } from '@authstate/redis'
import type { Standing } from './link-state.js'
import { noteLink } from './scripts.js'

/** The state of a link, shared by all nodes of the site. */
export interface LinkRecord {
  readonly version: string
  readonly standings: ReadonlyMap<string, Standing>
  /** The recent times at which it went offline by itself. */
  readonly flaps: readonly number[]
}

/** The record before any node noted something. */
export const NOTHING_NOTED: LinkRecord = { version: '0', standings: new Map(), flaps: [] }

const FLAPS = 'flaps'
const OF_SERVICE = 's:'

/** Reads the state of a link. A field that cannot be read counts as absent. */
export function readLinkRecord(fields: ReadonlyMap<string, string>): LinkRecord {
  const standings = new Map<string, Standing>()
  for (const [field, text] of fields) {
    const standing = field.startsWith(OF_SERVICE) ? parsed<Standing>(text) : undefined
    if (standing !== undefined) standings.set(field.slice(OF_SERVICE.length), standing)
  }
  return {
    version: fields.get('v') ?? '0',
    standings,
    flaps: parsed<number[]>(fields.get(FLAPS) ?? '') ?? [],
  }
}

function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

/** Keeps the state of a link in the Redis of this site. */
export class LinkRecords {
  readonly #connection: RedisConnection
  readonly #key: string

  constructor(connection: RedisConnection, to: string) {
    this.#connection = connection
    this.#key = linkKey(connection, to)
  }

  async read(): Promise<LinkRecord> {
    const { fields } = await this.#connection.run(noteLink, { link: this.#key }, { version: '', set: '{}' })
    return readLinkRecord(fields)
  }

  /** Notes it, unless another node noted something meanwhile. Returns what is noted now. */
  async note(version: string, { standings, flaps }: Omit<LinkRecord, 'version'>) {
    const set: Record<string, string> = { [FLAPS]: JSON.stringify(flaps) }
    for (const [spi, standing] of standings) set[OF_SERVICE + spi] = JSON.stringify(standing)
    const { isNoted, fields } = await this.#connection.run(
      noteLink,
      { link: this.#key },
      { version, set: JSON.stringify(set) },
    )
    return { isNoted, record: readLinkRecord(fields) }
  }
}

/** The key under which a site keeps the state of a link. */
export const linkKey = ({ keys }: RedisConnection, to: string): string => keys.shared('link', to)
