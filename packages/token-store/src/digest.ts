import { createHash } from 'node:crypto'

/**
 * A digest of parts. Different lists have different digests. What is in the store gives no access and reveals
 * nothing.
 */
export const digestOf = (...parts: readonly (string | number)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
