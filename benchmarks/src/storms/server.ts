// A server under storm in a process of its own, so that what it costs can be told from what its clients cost.
import { createAuthState } from 'authstate'
import { listen } from '../../../examples/auth-server/src/demo/node.js'
import { hashPassword, verifyPassword } from '../../../examples/auth-server/src/passwords.js'
import { generateSigningKey } from '../../../examples/auth-server/src/signing-key.js'
import { listenOnExpressSession } from './express-session/server.js'
import { PASSWORD, type Question, type Reply, usersOfStorm } from './world.js'

const LOOKS = 20

export function serveStorm(): void {
  process.on('message', async (question: Question) => {
    let reply: Reply
    try {
      reply = await answer(question)
    } catch (error) {
      reply = { failed: String(error) }
    }
    process.send?.(reply)
  })
  process.on('disconnect', () => process.exit())
}

async function answer(question: Question): Promise<Reply> {
  if (question === 'cpu') return { cpuUs: cpuUs() }
  if (question === 'password') return { cpuUs: await cpuOfPassword() }
  const { stateIn, url } = question
  const [users, signingKey] = [await usersOfStorm(), await generateSigningKey()]
  if (stateIn === 'express-session')
    return { origin: await listenOnExpressSession({ users, signingKey, url }) }
  const state = await createAuthState({
    ...(stateIn === 'redis' && { provider: 'redis', redis: { url } }),
    keyring: { current: 'k1', keys: { k1: 'a secret of the benchmarks and of nobody else' } },
    realms: () => ({ bruteForce: { enabled: true, quickLoginCheckMs: 0 } }),
  })
  const world = { users, signingKey, keyring: { current: 'k1', keys: {} } }
  // All browsers of a storm have one address.
  const limits = { loginsPerAddress: Number.MAX_SAFE_INTEGER }
  return { origin: (await listen(world, state, 'A', limits)).origin }
}

/** Of every thread: those that look at passwords are not the one that runs JavaScript. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function cpuOfPassword(): Promise<number> {
  const hash = await hashPassword(PASSWORD)
  const before = cpuUs()
  for (let look = 0; look < LOOKS; look++) await verifyPassword(PASSWORD, hash)
  return (cpuUs() - before) / LOOKS
}
