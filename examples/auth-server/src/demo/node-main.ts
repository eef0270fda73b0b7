// A node in a process of its own: gets its orders from the process that started it, and ends with that one. SIGTERM
// ends it in order: it says that it is not ready, what was asked is answered, then the others see it leave.
import { setTimeout } from 'node:timers/promises'
import { type Listener, listen } from './node.js'
import type { Orders, Report } from './node-process.js'
import { createState } from './world.js'

const report = (message: Report): boolean | undefined => process.send?.(message)

process.once('message', async ({ name, world, drainMs, noticeMs }: Orders) => {
  try {
    const state = await createState(world, name)
    const listener: Listener = await listen(world, state, name)
    process.once('SIGTERM', async () => {
      listener.drain()
      // Until the load balancer has asked: whom it sends here meanwhile is served.
      await setTimeout(noticeMs)
      await listener.close(drainMs)
      await state.close()
      process.exit()
    })
    report({ origin: listener.origin })
  } catch (error) {
    report({ error: error instanceof Error ? error.message : 'the node could not start' })
  }
})
process.once('disconnect', () => process.exit())
