import { expect, test } from 'vitest'
import { checkConfiguration, configurationSchemas } from '../src/configuration.js'
import { ConfigurationError } from '../src/index.js'

test('a configuration is checked without a start', async () => {
  const { spis } = await checkConfiguration({
    provider: 'redis',
    // Nobody listens there.
    redis: { url: 'redis://:secret@127.0.0.1:1', partitions: 4 },
    spi: { 'login-failure': { provider: 'memory' } },
  })
  expect(spis['user-session']?.selected).toBe('redis')
  expect(spis['login-failure']?.selected).toBe('memory')
  expect(spis['redis']?.properties['partitions']).toEqual({ value: 4, origin: 'config' })
  expect(spis['user-session']?.started).toBe(false)
  expect(JSON.stringify(spis)).not.toContain('secret')
})

test.each([
  ['a misspelt property', { spi: { 'user-session': { maxNoteBytes: 1 } } }, "Did you mean 'maxNotesBytes'"],
  ['a misspelt option', { spis: {} }, "'spi'"],
  ['a way to Redis that nothing uses', { redis: { url: 'redis://127.0.0.1:1' } }, 'nothing uses it'],
  [
    'a value of another type',
    { spi: { 'user-session': { memory: { sweepIntervalMs: 'soon' } } } },
    'sweepIntervalMs',
  ],
])('%s is named', async (_, config, message) => {
  const checked = checkConfiguration(config as never)
  await expect(checked).rejects.toThrow(ConfigurationError)
  await expect(checked).rejects.toThrow(message)
})

test('variables are checked as well', async () => {
  await expect(
    checkConfiguration({ env: { AUTHSTATE_SPI__USER_SESION__PROVIDER: 'redis' } }),
  ).rejects.toThrow('AUTHSTATE_SPI__USER_SESSION__PROVIDER')
})

test('each provider has a schema with its properties', async () => {
  const schemas = await configurationSchemas()
  expect(Object.keys(schemas)).toContain('login-failure')
  for (const [spi, providers] of Object.entries(schemas)) {
    for (const [id, { type }] of Object.entries(providers))
      expect([spi, id, type]).toEqual([spi, id, 'object'])
  }
  expect(schemas['user-session']?.['redis']).toMatchObject({ properties: { maxNotesBytes: {} } })
  expect(schemas['redis']?.['default']).toMatchObject({ properties: { partitions: {} } })
})
