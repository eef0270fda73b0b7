// Two sites, each with its own Redis: in step, cut apart, and together again. Ends with one line that says how many steps passed, or
// which failed. AUTHSTATE_DEMO_REDIS_URL and AUTHSTATE_DEMO_OTHER_REDIS_URL say where they keep their state.
import { randomBytes } from 'node:crypto'
import { Narrator } from './demo/narrator.js'
import { type Site, startSite } from './demo/site.js'
import { tellOfSites } from './demo/sites-story.js'
import { openWay, type Way } from './demo/way.js'

const narrator = new Narrator()
const run = randomBytes(6).toString('hex')
const ways: Way[] = []
const sites: Site[] = []
let outcome: string
try {
  const url = process.env['AUTHSTATE_DEMO_REDIS_URL']
  if (url === undefined) throw new Error('AUTHSTATE_DEMO_REDIS_URL must say where Redis is')
  const stores = {
    lisbon: { url, prefix: `lisbon-${run}` },
    oslo: { url: process.env['AUTHSTATE_DEMO_OTHER_REDIS_URL'] ?? url, prefix: `oslo-${run}` },
  }
  const start = async (name: 'lisbon' | 'oslo', to: 'lisbon' | 'oslo') => {
    const { hostname, port } = new URL(stores[to].url)
    const way = await openWay(hostname, Number(port || 6379))
    ways.push(way)
    const site = await startSite(name, stores[name], {
      name: to,
      url: `redis://${way.address}`,
      prefix: stores[to].prefix,
    })
    sites.push(site)
    return site
  }
  console.log(
    'Two sites, Lisbon and Oslo, each with its own Redis and a node; a line between them that can be cut.\n',
  )
  const lisbon = await start('lisbon', 'oslo')
  const oslo = await start('oslo', 'lisbon')
  await tellOfSites(narrator, { lisbon, oslo, ways })
  outcome = `${narrator.steps} steps passed`
} catch (error) {
  process.exitCode = 1
  outcome = error instanceof Error ? error.message : 'failed'
  if (error instanceof Error && error.cause !== undefined) console.error(error.cause)
}
for (const site of sites) await site.stop()
for (const way of ways) way.stop()
console.log(`\ndemo: ${outcome}`)
