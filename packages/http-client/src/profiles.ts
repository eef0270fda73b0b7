import type { HttpClientConfig } from './config.js'

/** The limits of the requests for one purpose. */
export interface Profile {
  readonly deadlineMs: number
  readonly maxResponseBytes: number
  readonly retries: number
  readonly dropBody: boolean
}

/** What is usual for a purpose, in place of the general limits. */
export const PURPOSES: Readonly<Record<string, Partial<Profile>>> = Object.freeze({
  'backchannel-logout': { deadlineMs: 5_000, maxResponseBytes: 16_384, dropBody: true },
  jwks: { retries: 2 },
})

/** The limits of a purpose: what the configuration says of it, else what is usual for it, else the general ones. */
export function profileOf(purpose: string, config: HttpClientConfig): Profile {
  const usual = Object.hasOwn(PURPOSES, purpose) ? PURPOSES[purpose] : undefined
  const own = Object.hasOwn(config.purposes, purpose) ? config.purposes[purpose] : undefined
  return {
    deadlineMs: own?.deadlineMs ?? usual?.deadlineMs ?? config.deadlineMs,
    maxResponseBytes: own?.maxResponseBytes ?? usual?.maxResponseBytes ?? config.maxResponseBytes,
    retries: own?.retries ?? usual?.retries ?? 0,
    dropBody: own?.dropBody ?? usual?.dropBody ?? false,
  }
}
