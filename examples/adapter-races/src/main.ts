// npm run demo:adapters: the races of requests at once, side by side.
import { type RanRace, runRaces } from './races.js'

const { AUTHSTATE_DEMO_REDIS_URL: url } = process.env
if (url === undefined) throw new Error('AUTHSTATE_DEMO_REDIS_URL names the Redis of the demo')
const ran = await runRaces(url)
const rows = ran.map(({ framework, what, peer, onPeer, onOurs }: RanRace) => [
  framework,
  what,
  `${onPeer} (${peer})`,
  onOurs,
])
const table = [['with', 'what happens', 'usual store', 'authstate'], ...rows]
const widths = [0, 1, 2, 3].map((n) => Math.max(...table.map((row) => row[n]?.length ?? 0)))
for (const row of table)
  console.log(
    row
      .map((text, n) => text.padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd(),
  )
const lost = ran.filter(({ onOurs }) => !onOurs.startsWith('0 of '))
console.log(
  `\ndemo:adapters: ${ran.length} races, ${lost.length === 0 ? 'none' : lost.length} went wrong on authstate`,
)
if (lost.length > 0) process.exitCode = 1
