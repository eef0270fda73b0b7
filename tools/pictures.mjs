// node tools/pictures.mjs [--check]: draws the pictures of docs/pictures. They have a ground of their own, so they are read on a dark
// page as well as on a light one. `--check` writes nothing and fails on a difference.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib/run.mjs'
import { PICTURES } from './pictures/pictures.mjs'

const folder = join(root, 'docs', 'pictures')
const read = (file) => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

mkdirSync(folder, { recursive: true })
const old = Object.entries(PICTURES).filter(([name, svg]) => read(join(folder, `${name}.svg`)) !== svg)
if (process.argv.includes('--check')) {
  for (const [name] of old) console.error(`docs/pictures/${name}.svg is not what tools/pictures draws`)
  process.exitCode = old.length === 0 ? 0 : 1
} else {
  for (const [name, svg] of old) writeFileSync(join(folder, `${name}.svg`), svg)
  console.log(`pictures: ${old.length} written`)
}
