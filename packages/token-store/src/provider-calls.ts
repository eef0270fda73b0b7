import { isError, timers } from '@authstate/spi/internal'
import type { StoredTokens } from './interface.js'
import type { CheckedOptions, RefreshContext, RefreshedTokens } from './options.js'

/** Why the provider gave no tokens. */
export type RefreshFailure = 'invalid-grant' | 'client' | 'unavailable'

const CLIENT_ERRORS = [
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'invalid_scope',
  'unsupported_grant_type',
]

/** Longest wait after failures in a row, ms. */
const MAX_REST_MS = 30_000
const FIRST_REST_MS = 1_000

/** How long the provider is left alone after failures in a row. */
export const restMs = (failures: number): number =>
  Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** Math.min(failures - 1, 10))

/** The error codes of OAuth that an error of a library says, in itself or in its cause. */
function codesOf(error: unknown): readonly unknown[] {
  if (typeof error !== 'object' || error === null) return []
  const { error: named, code, cause } = error as Readonly<Record<string, unknown>>
  return [named, code, ...(isError(cause) ? codesOf(cause) : [])]
}

/** @see RFC 6749 §5.2 */
export function failureOf(error: unknown): RefreshFailure {
  const codes = codesOf(error)
  if (codes.includes('invalid_grant')) return 'invalid-grant'
  return codes.some((code) => CLIENT_ERRORS.includes(code as string)) ? 'client' : 'unavailable'
}

/** Calls what an application gave, and waits no longer than the deadline, whether it heeds the signal or not. */
export async function withinDeadline<T>(
  ms: number,
  call: (context: RefreshContext) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let timer: ReturnType<typeof timers.setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = timers.setTimeout(() => {
      reject(new Error('token-store: the provider took longer than "refreshDeadlineMs"'))
      controller.abort()
    }, ms)
  })
  try {
    return await Promise.race([(async () => call({ signal: controller.signal }))(), late])
  } finally {
    timers.clearTimeout(timer)
  }
}

/** Asks the provider for tokens. A nonce that it wants in a DPoP proof is given once. @see RFC 9449 §8 */
export function askForTokens(
  { refresh, refreshDeadlineMs }: CheckedOptions,
  tokens: StoredTokens,
): Promise<RefreshedTokens> {
  if (refresh === undefined) throw new TypeError('"refresh" is not given')
  return withinDeadline(refreshDeadlineMs, async (context) => {
    try {
      return await refresh(tokens, context)
    } catch (error) {
      if (!codesOf(error).includes('use_dpop_nonce')) throw error
      return refresh(tokens, context)
    }
  })
}

/** Tries to revoke a refresh token: a caller could not do anything with an error. */
export async function revokeQuietly(
  { revoke, refreshDeadlineMs, logger }: CheckedOptions,
  refreshToken: string | undefined,
): Promise<void> {
  if (revoke === undefined || refreshToken === undefined) return
  try {
    await withinDeadline(refreshDeadlineMs, async (context) => revoke(refreshToken, context))
  } catch (error) {
    logger.warn(
      { error: isError(error) ? error.name : typeof error },
      'token-store: a refresh token of a session that had ended could not be revoked',
    )
  }
}
