// A node in a process of its own: gets its world from the process that started it, and ends with that one.
import { listen } from './node.js'
import { createState, type World } from './world.js'

export interface Orders {
  readonly name: string
  readonly world: World
}

export type Report = { readonly origin: string } | { readonly error: string }

const report = (message: Report): boolean | undefined => process.send?.(message)

process.once('message', async ({ name, world }: Orders) => {
  try {
    const state = await createState(world, name)
    const { origin } = await listen(world, state)
    report({ origin })
  } catch (error) {
    report({ error: error instanceof Error ? error.message : 'the node could not start' })
  }
})
process.once('disconnect', () => process.exit())
