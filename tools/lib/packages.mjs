// Where the packages of the workspace are. Needs nothing but Node.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

/** Folders whose folders are packages. pnpm-workspace.yaml names the same. */
const PARENTS = ['packages', 'packages/adapters']

/** Every folder of a package that may be published, from the root: `packages/spi`, `packages/adapters/express-session`. */
export function packageFolders(from = root) {
  return PARENTS.filter((parent) => existsSync(join(from, parent))).flatMap((parent) =>
    readdirSync(join(from, parent))
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(join(from, folder, 'package.json'))),
  )
}

/** Every package and example that has tests, from the root. Each is a project of vitest, called as its folder. */
export function testedFolders(from = root) {
  const examples = readdirSync(join(from, 'examples')).map((name) => `examples/${name}`)
  return [...packageFolders(from), ...examples].filter((folder) => existsSync(join(from, folder, 'test')))
}
