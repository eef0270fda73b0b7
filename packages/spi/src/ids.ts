import { randomFillSync } from 'node:crypto'
import { assertOptionalName } from './assert.js'

/** Length of every id this library mints. */
export const ID_LENGTH = 24

const RANDOM_CHARACTERS = 21
const POOL_BYTES = 4096
const ID = /^[\w-]{22}[0-9a-f]{2}$/
const SITE_ALPHABET = '123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Mints an id that lives in a partition. */
export type MintId = (partition: number) => string

/**
 * Mints ids of 24 characters: 21 of base64url (126 random bits from a pooled CSPRNG), one for the site that
 * minted it, two hex digits of the partition its record lives in.
 *
 * @param site Name of the site. A name of one character stands for itself, a longer one is folded into one; `0`
 *   where there is only one site.
 */
export function createIdMinter(site?: string): MintId {
  assertOptionalName(site, 'site')
  const end = siteCharacter(site)
  return (partition) => randomId() + end + partition.toString(16).padStart(2, '0')
}

/** 21 characters of base64url: 126 random bits. For nonces, attempts and tokens that no partition is read from. */
export function randomId(): string {
  if (offset + 16 > POOL_BYTES) {
    randomFillSync(pool)
    offset = 0
  }
  const id = pool.toString('base64url', offset, offset + 16).slice(0, RANDOM_CHARACTERS)
  pool.fill(0, offset, offset + 16)
  offset += 16
  return id
}

/** The partition an id says it lives in, or `undefined` for what we cannot have minted. */
export function partitionOf(id: string): number | undefined {
  return ID.test(id) ? Number.parseInt(id.slice(-2), 16) : undefined
}

/** The mark in keys that are minted where there is only one site. */
export const NO_SITE_MARK = '0'

const MARKED_KEY = /^[\w-]{21}\.([0-9A-Za-z])$/

/** A key of 23 characters: 21 of base64url, a dot, and the mark of a site. */
export const withMark = (id: string, mark: string): string => `${id}.${mark}`

/** {@link withMark} of 126 random bits. */
export const mintMarkedKey = (mark: string): string => withMark(randomId(), mark)

/** The mark in a key of {@link withMark}; `undefined`: a caller chose the key. */
export const markIn = (key: string): string | undefined => MARKED_KEY.exec(key)?.[1]

const pool = Buffer.alloc(POOL_BYTES)
let offset = POOL_BYTES

function siteCharacter(site: string | undefined): string {
  if (site === undefined) return '0'
  if (/^[0-9A-Za-z]$/.test(site)) return site
  let hash = 0
  for (const character of site) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % SITE_ALPHABET.length
  return SITE_ALPHABET.charAt(hash)
}
