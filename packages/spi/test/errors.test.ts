import { expect, test, vi } from 'vitest'
import {
  ConfigurationError,
  ConflictError,
  isProviderError,
  LoaderTimeoutError,
  ProviderClosedError,
  ProviderError,
  StoreCorruptError,
  StoreUnavailableError,
} from '../src/index.js'

const errors = [
  [new ConfigurationError('m'), ConfigurationError, 'ERR_PROVIDER_CONFIGURATION'],
  [new ProviderClosedError('m'), ProviderClosedError, 'ERR_PROVIDER_CLOSED'],
  [new StoreUnavailableError('m', { applied: 'unknown' }), StoreUnavailableError, 'ERR_STORE_UNAVAILABLE'],
  [new StoreCorruptError('m'), StoreCorruptError, 'ERR_STORE_CORRUPT'],
  [new ConflictError('m'), ConflictError, 'ERR_CONFLICT'],
  [new LoaderTimeoutError('m'), LoaderTimeoutError, 'ERR_LOADER_TIMEOUT'],
] as const

test.each(errors)('%s is itself, a ProviderError and none of the others', (error, kind, code) => {
  expect(error.code).toBe(code)
  expect(error.name).toBe(kind.name)
  expect(error).toBeInstanceOf(Error)
  expect(error).toBeInstanceOf(ProviderError)
  expect(isProviderError(error)).toBe(true)
  for (const [, other] of errors) expect(error instanceof other).toBe(other === kind)
})

test('instanceof holds for errors of another copy of the package', async () => {
  vi.resetModules()
  const copy = await import('../src/errors.js')
  expect(copy.ConflictError).not.toBe(ConflictError)
  const foreign = new copy.ConflictError('m')
  expect(foreign).toBeInstanceOf(ConflictError)
  expect(foreign).toBeInstanceOf(ProviderError)
  expect(foreign).not.toBeInstanceOf(StoreCorruptError)
})

test.each([undefined, null, 'text', 7, {}, new Error('m'), { code: 'ERR_CONFLICT' }])(
  '%s is none of ours',
  (value) => {
    expect(isProviderError(value)).toBe(false)
    expect(value instanceof ProviderError).toBe(false)
  },
)

test('keeps the cause and whether a write was applied', () => {
  const cause = new Error('reset')
  const error = new StoreUnavailableError('m', { applied: 'no', cause })
  expect(error.cause).toBe(cause)
  expect(error.applied).toBe('no')
})
