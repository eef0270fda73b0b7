// Two nodes of the server, a real OpenID Connect client, and what a user goes through. Ends with one line that says
// how many steps passed, or which failed. AUTHSTATE_DEMO_REDIS_URL puts the state into Redis and each node into a
// process of its own.
import { Narrator } from './demo/narrator.js'
import { type Nodes, startNodes } from './demo/nodes.js'
import { tellStory } from './demo/story.js'
import { createWorld } from './demo/world.js'

const narrator = new Narrator()
let nodes: Nodes | undefined
let outcome: string
try {
  const world = await createWorld(process.env['AUTHSTATE_DEMO_REDIS_URL'])
  console.log(
    world.redis
      ? 'Two nodes, A and B, each a process of its own; the state is in Redis.'
      : 'Two nodes, A and B, over one store in this process: memory is not shared between processes.',
  )
  nodes = await startNodes(world)
  console.log(`Node A at ${nodes.a.origin}, node B at ${nodes.b.origin}.\n`)
  await tellStory(narrator, nodes)
  outcome = `${narrator.steps} steps passed`
} catch (error) {
  process.exitCode = 1
  outcome = error instanceof Error ? error.message : 'failed'
  if (error instanceof Error && error.cause !== undefined) console.error(error.cause)
}
await nodes?.stop()
console.log(`\ndemo: ${outcome}`)
