// npm run api: how what the packages export differs from the released version, and whether .changeset says so. The API of a release is
// in api/, where `npm run release:version` writes it; that of now is in reference/api, where the reference leaves it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { changesetFault, compareReports } from './lib/api-report.mjs'
import { readChangesets } from './lib/changesets.mjs'
import { root } from './lib/run.mjs'

const MOST_LINES = 40

function reportsIn(folder) {
  if (!existsSync(folder)) return new Map()
  return new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
}

const now = reportsIn(join(root, 'reference', 'api'))
if (now.size === 0) {
  console.error('api: reference/api is not there; run npm run docs -- --reference first')
  process.exit(1)
}
const released = reportsIn(join(root, 'api'))
const differences = compareReports(released, now)
const lines = differences.flatMap(({ file, gone, added }) => [
  ...gone.map((line) => `- ${file}: ${line}`),
  ...added.map((line) => `+ ${file}: ${line}`),
])
const { version } = JSON.parse(readFileSync(join(root, 'packages', 'authstate', 'package.json'), 'utf8'))
if (released.size === 0)
  console.log(`api: nothing is released yet; ${now.size} entries, ${lines.length} lines`)
else {
  for (const line of lines.slice(0, MOST_LINES)) console.log(line)
  console.log(`api: ${lines.length} lines differ from ${version}, as it was released`)
}
const fault = changesetFault(differences, readChangesets(join(root, '.changeset')), version)
if (fault !== undefined) console.error(`api: ${fault}`)
process.exitCode = fault === undefined ? 0 : 1
