/** Whether what ends at `expiresAt` is gone: it is from that millisecond on. Both in ms since the epoch, by one clock. */
export function isExpired(expiresAt: number, now: number): boolean {
  return expiresAt <= now
}
