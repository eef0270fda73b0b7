// npm run prose [-- files]: the rules of our prose on every page and comment.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib/run.mjs'
import { findingsIn, lineAt, proseOfPage, proseOfSource } from './prose/rules.mjs'

const files = process.argv.slice(2)

const tracked = spawnSync('git', ['ls-files', '*.md', 'packages/*.ts'], { cwd: root, encoding: 'utf8' })
  .stdout.split('\n')
  .filter((path) => /\.md$|\/src\/.*\.ts$/.test(path) && !/\/conformance\/|\.changeset/.test(path))

let count = 0
for (const path of files.length > 0 ? files : tracked) {
  const text = readFileSync(join(root, path), 'utf8')
  const prose = path.endsWith('.md') ? proseOfPage(text) : proseOfSource(text)
  for (const { at, rule, text: words, instead } of findingsIn(prose)) {
    count += 1
    console.log(`${path}:${lineAt(text, at)} ${rule}: "${words}"; write ${instead}`)
  }
}
console.log(`prose: ${count} findings`)
process.exitCode = count === 0 ? 0 : 1
