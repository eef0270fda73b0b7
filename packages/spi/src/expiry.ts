/**
 * Whether a record with this `expiresAt` has ended: it has, from that millisecond on. Both in ms since the
 * epoch, by one clock.
 */
export function isExpired(expiresAt: number, now: number): boolean {
  return expiresAt <= now
}
