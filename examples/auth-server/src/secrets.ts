import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits as base64url. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** SHA-256 as base64url: what may be stored of a secret, and what PKCE calls S256. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** Compares without saying through its time how much of the text is right. */
export function sameSecret(given: string | undefined, expected: string | undefined): boolean {
  if (given === undefined || expected === undefined) return false
  return timingSafeEqual(Buffer.from(digest(given)), Buffer.from(digest(expected)))
}
