import { expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { runRaces } from '../src/races.js'

describeWith(redis, 'the demo of adapters', () => {
  test('what goes wrong on the usual stores never does on authstate', async () => {
    for (const { framework, what, onPeer, onOurs } of await runRaces(redisUrl())) {
      expect(`${framework}: ${what}: ${onOurs}`).toMatch(/: 0 of 20$/)
      // How often two of them meet is up to the machine, where nothing holds them.
      expect(`${framework}: ${what}: ${onPeer}`).not.toMatch(/: 0 of 20$/)
    }
  })
})
