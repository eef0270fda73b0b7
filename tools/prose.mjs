// npm run prose [-- --all] [files]: the rules of our prose on every page and comment but for the exceptions of tools/prose/held.mjs. `--all`
// prints what it finds in the exceptions as well, and does not fail by them.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib/run.mjs'
import { isHeld } from './prose/held.mjs'
import { findingsIn, lineAt, proseOfPage, proseOfSource } from './prose/rules.mjs'

const asked = process.argv.slice(2)
const files = asked.filter((name) => !name.startsWith('--'))
const showAll = asked.includes('--all') || files.length > 0

const tracked = spawnSync('git', ['ls-files', '*.md', 'packages/*.ts'], { cwd: root, encoding: 'utf8' })
  .stdout.split('\n')
  .filter((path) => /\.md$|\/src\/.*\.ts$/.test(path) && !/\/conformance\/|\.changeset/.test(path))

let failed = 0
let others = 0
for (const path of files.length > 0 ? files : tracked) {
  const text = readFileSync(join(root, path), 'utf8')
  const prose = path.endsWith('.md') ? proseOfPage(text) : proseOfSource(text)
  const findings = findingsIn(prose)
  const held = isHeld(path)
  if (held) failed += findings.length
  else others += findings.length
  if (held || showAll)
    for (const { at, rule, text: words, instead } of findings)
      console.log(`${path}:${lineAt(text, at)} ${rule}: "${words}"; write ${instead}`)
}
console.log(`prose: ${failed} findings in what is held, ${others} in the rest`)
process.exitCode = failed === 0 ? 0 : 1
