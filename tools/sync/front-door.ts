import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Service } from '@authstate/spi'
import { packageFolders } from '../lib/packages.mjs'
import { root } from '../lib/run.mjs'
import type { Changes } from './changes.js'

const FOLDER = 'packages/authstate'
const HEAD = '// Written by `npm run sync`.\n'

type Target = string | { readonly [condition: string]: Target }
interface Manifest {
  readonly name: string
  readonly version: string
  exports: Record<string, Target>
  publishConfig: {
    readonly access: string
    exports: Record<string, Target>
    typesVersions?: Record<string, Record<string, string[]>>
  }
  dependencies: Record<string, string>
}

/** Entries of a service's package that are not for applications. All others stand below the subpath of the service. */
const INSIDE = ['./service', './package.json']
/** Entries of the front door that are written by hand: `src/<name>.ts`. */
const OWN = ['configuration', 'health', 'provider', 'testing']

/** The dependencies and subpaths of the front door. */
export function frontDoor(changes: Changes, services: readonly Service[]): void {
  const path = `${FOLDER}/package.json`
  const manifest = JSON.parse(changes.text(path)) as Manifest
  const subpaths = services.flatMap(({ name }) => {
    const { name: called, exports } = JSON.parse(changes.text(`packages/${name}/package.json`)) as Manifest
    return Object.keys(exports)
      .filter((entry) => !INSIDE.includes(entry))
      .map((entry) => ({
        name: name + entry.slice(1),
        called,
        entry,
      }))
  })
  for (const file of readdirSync(join(root, FOLDER, 'src/subpaths'), { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.ts')) changes.set(`${FOLDER}/src/subpaths/${file}`, '')
  for (const { name, called, entry } of subpaths)
    changes.set(`${FOLDER}/src/subpaths/${name}.ts`, `${HEAD}export * from '${called}${entry.slice(1)}'\n`)
  changes.set(`${FOLDER}/src/spis.ts`, spisOf(changes, services))
  manifest.exports = Object.fromEntries([
    ['.', targetOf('index', 'index')],
    ...OWN.map((name) => [`./${name}`, targetOf(name, name)]),
    ...subpaths.map(({ name }) => [`./${name}`, targetOf(`subpaths/${name}`, name)]),
    ['./package.json', './package.json'],
  ])
  const packages = ['conformance', 'registry', 'spi', ...services.map(({ name }) => name)]
  const others = Object.entries(manifest.dependencies).filter(([name]) => !name.startsWith('@authstate/'))
  const ours = packages.map((name) => [`@authstate/${name}`, 'workspace:^'] as const)
  manifest.dependencies = Object.fromEntries([...ours, ...others].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  changes.set(path, `${JSON.stringify(manifest, null, 2)}\n`)
}

/** What the front door shows of each service that has a member: the types that its `service.ts` exports, and its SPI. */
function spisOf(changes: Changes, services: readonly Service[]): string {
  const lines = services
    .filter(({ member }) => member !== undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => {
      const text = changes.text(`packages/${name}/src/service.ts`)
      return [...text.matchAll(/^export (type )?(\{[^}]+\}) from '[^']+'$/gm)].map(
        ([, type = '', names]) => `export ${type}${names} from '@authstate/${name}/service'\n`,
      )
    })
  return HEAD + lines.join('')
}

/** In every package: what is published is `exports` without the condition for sources. */
export function publishedExports(changes: Changes): void {
  for (const folder of packageFolders()) {
    const path = `${folder}/package.json`
    const manifest = JSON.parse(changes.text(path)) as Manifest
    manifest.publishConfig.exports = Object.fromEntries(
      Object.entries(manifest.exports).map(([entry, target]) => [entry, withoutSource(target)]),
    )
    const types = typesByPath(manifest.exports)
    if (Object.keys(types).length > 0) manifest.publishConfig.typesVersions = { '*': types }
    else delete manifest.publishConfig.typesVersions
    changes.set(path, `${JSON.stringify(manifest, null, 2)}\n`)
  }
}

/** The types of each subpath, for a compiler that does not read `exports`: `moduleResolution` `node10`. */
function typesByPath(exports: Manifest['exports']): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(exports).flatMap(([entry, target]) => {
      const { import: imported } = typeof target === 'string' ? {} : target
      const types = typeof imported === 'object' ? imported['types'] : undefined
      return entry === '.' || typeof types !== 'string' ? [] : [[entry.slice(2), [types]]]
    }),
  )
}

function withoutSource(target: Target): Target {
  if (typeof target === 'string') return target
  const { '@authstate/source': _, ...rest } = target
  return rest
}

const targetOf = (source: string, built: string): Target => ({
  '@authstate/source': `./src/${source}.ts`,
  import: { types: `./dist/${built}.d.ts`, default: `./dist/${built}.js` },
  require: { types: `./dist/${built}.d.cts`, default: `./dist/${built}.cjs` },
})
