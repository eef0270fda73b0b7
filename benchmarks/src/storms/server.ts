// The example server in a process of its own, so that what it costs can be told from what its clients cost.
import { createAuthState } from 'authstate'
import { listen } from '../../../examples/auth-server/src/demo/node.js'
import { hashPassword } from '../../../examples/auth-server/src/passwords.js'
import { generateSigningKey } from '../../../examples/auth-server/src/signing-key.js'
import { PASSWORD, type Question, USERS } from './world.js'

/** Answers its address, and later how much CPU it has used. */
export function serveStorm(): void {
  process.on('message', async (question: Question) => {
    try {
      process.send?.(question === 'cpu' ? { cpuUs: cpuUs() } : { origin: await start(question.url) })
    } catch (error) {
      process.send?.({ failed: String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function start(url: string | undefined): Promise<string> {
  const state = await createAuthState({
    ...(url !== undefined && { provider: 'redis', redis: { url } }),
    keyring: { current: 'k1', keys: { k1: 'a secret of the benchmarks and of nobody else' } },
    realms: () => ({ bruteForce: { enabled: true, quickLoginCheckMs: 0 } }),
  })
  const passwordHash = await hashPassword(PASSWORD)
  const users = Array.from({ length: USERS }, (_, n) => ({
    id: `id-${n}`,
    username: `user-${n}`,
    name: `User ${n}`,
    email: `user-${n}@example.test`,
    passwordHash,
  }))
  const keyring = { current: 'k1', keys: {} }
  const world = { users, signingKey: await generateSigningKey(), keyring }
  return (await listen(world, state, 'A')).origin
}
