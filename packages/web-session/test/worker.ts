// A process that saves a session with an alias and stops between the two commands of it, to be killed there.
//   worker.ts <prefix> <which command is held back: save | point> <redis url>
import { faultyClient } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { Redis } from 'ioredis'
import { webSessionSpi } from '../src/index.js'
import { redisWebSessions } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

const [prefix, heldBack, url = ''] = process.argv.slice(2)
const faulty = faultyClient(new Redis(url))
const registry = createProviderRegistry({
  factories: [redisWebSessions(), redisConnection()],
  config: { redis: { client: faulty.client, prefix }, spi: { 'web-session': { provider: 'redis' } } },
})
await registry.start()
const provider = registry.get(webSessionSpi)
const session = { data: { n: 1 }, lifespanMs: 600_000, userId: 'u', alias: 'x' }
// So that the server has both sources.
await provider.save('r', 'before', session)
faulty.arm(heldBack === 'save' ? scripts.save : scripts.point, {
  when: 'delay',
  until: new Promise(() => {}),
})
void provider.save('r', 's', session)
// It goes behind what was sent, on the same connection.
await provider.get('r', 's')
process.stdout.write('between\n')
