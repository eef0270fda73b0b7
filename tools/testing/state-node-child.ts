// The process behind a StateNode.
import { type AuthState, createAuthState } from '../../packages/authstate/src/index.js'
import type { NodeConfig } from './state-node.js'

let state: AuthState | undefined
const shared = {}

async function answer(message: {
  config?: NodeConfig
  step?: string
  given?: unknown
  stop?: true
}): Promise<unknown> {
  if (message.config !== undefined) {
    const { realm = {}, ...config } = message.config
    state = await createAuthState({ ...config, realms: () => realm })
    return undefined
  }
  if (message.stop) {
    await state?.close()
    return undefined
  }
  const step = new Function(`return (${message.step})`)()
  return step(state, message.given, shared)
}

process.on('message', async (message: { id: number; stop?: true }) => {
  const { id } = message
  try {
    process.send?.({ id, value: await answer(message) })
  } catch (error) {
    process.send?.({ id, error: `${error instanceof Error ? error.stack : error}` })
  }
  if (message.stop) process.disconnect()
})
process.on('disconnect', () => process.exit(0))
