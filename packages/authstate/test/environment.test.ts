import { expect, test } from 'vitest'
import { ConfigurationError, createAuthState } from '../src/index.js'

test('variables override the configuration, where they are given', async () => {
  const env = { AUTHSTATE_SPI__ACTION_TOKEN__MAX_LIFESPAN_MS: '2000', HOME: 'x' }
  await using state = await createAuthState({ spi: { 'action-token': { maxLifespanMs: 1_000 } }, env })
  expect(state.describe().spis['action-token']?.properties['maxLifespanMs']).toEqual({
    value: 2_000,
    origin: 'env',
  })
})

test('the environment of the process is not read by itself', async () => {
  process.env['AUTHSTATE_PROVIDER'] = 'nobody'
  try {
    await using state = await createAuthState()
    expect(state.describe().spis['user-session']?.selected).toBe('memory')
    await expect(createAuthState({ env: process.env })).rejects.toThrow(
      /AUTHSTATE_PROVIDER.*Known: 'memory', 'redis'/,
    )
  } finally {
    delete process.env['AUTHSTATE_PROVIDER']
  }
})

test('a variable that fits nothing stops the start', async () => {
  const start = createAuthState({ env: { AUTHSTATE_USER_SESION__PROVIDER: 'redis' } })
  await expect(start).rejects.toThrow(ConfigurationError)
  await expect(start).rejects.toThrow(/Did you mean/)
})
