import { expect, test } from 'vitest'
import type { AuthStateConfig } from '../src/index.js'

// As a plugin author does, with 'authstate' in place of the path.
declare module '../src/index.js' {
  interface PluginProviders {
    'action-token/mine': { readonly colour?: 'red' | 'blue' | undefined }
  }
  interface SpiSections {
    readonly greetings?: { readonly provider?: 'mine' } | undefined
  }
}

test('a plugin author adds sections to the type of the configuration', () => {
  const configs: AuthStateConfig[] = [
    {
      spi: { 'action-token': { provider: 'mine', mine: { colour: 'red' } }, greetings: { provider: 'mine' } },
    },
    // @ts-expect-error a value that the plugin does not take
    { spi: { 'action-token': { mine: { colour: 'green' } } } },
  ]
  expect(configs).toHaveLength(2)
})
