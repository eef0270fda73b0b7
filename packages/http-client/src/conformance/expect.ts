import assert from 'node:assert/strict'
import { HttpError, type HttpErrorCode } from '../errors.js'

/** Holds that a request fails with a code, and that its error says of itself no more than it may. */
export async function failsWith(
  request: Promise<unknown>,
  code: HttpErrorCode,
  sent: 'no' | 'unknown',
  what = '',
): Promise<void> {
  await assert.rejects(
    () => request,
    (error: unknown) => {
      assert.ok(error instanceof HttpError, `${what}: expected an HttpError, got ${error}`)
      assert.deepEqual({ code: error.code, sent: error.sent }, { code, sent }, `${what}: ${error.message}`)
      assert.equal(error.cause, undefined, 'an HttpError has no cause: that could quote the request')
      return true
    },
    `${what}: a request that must fail`,
  )
}
