import { createHash } from 'node:crypto'

/** A digest of parts, no two lists of which run together: what is in the store opens nothing and tells nobody. */
export const digestOf = (...parts: readonly (string | number)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
