import { existsSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Service, Spi } from '@authstate/spi'
import { services } from '../../packages/authstate/src/services.js'
import { type Import, importsOf } from './imports.js'
import { root } from './tracked.js'

/** Path from the root of the repository, with `/`, to text. */
export type Files = ReadonlyMap<string, string>

/** Folders of packages that are an SPI: they have a contract. That of the connection is no service of its own. */
const SPI_PACKAGES = readdirSync(join(root, 'packages')).filter(
  (folder) => folder !== 'redis' && existsSync(join(root, 'packages', folder, 'src', 'contract.ts')),
)

/** What a service publishes for those who keep sites in step. */
const siteSideOf = (name: string): string => join(root, 'packages', name, 'src', 'redis', 'sites.ts')

/** What the store of a service on Redis is started after: other services whose contract it calls. */
const neededBy = async (service: Service): Promise<readonly string[]> => {
  const factory = await service.stores['redis']?.()
  return (factory?.dependsOn ?? []).map(({ name }: Spi) => name).filter((name) => SPI_PACKAGES.includes(name))
}

const NEEDED = new Map(
  await Promise.all(
    services.map(async (service) => [service.name as string, await neededBy(service)] as const),
  ),
)

/** Which packages of ours a package may import, by its folder. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  spi: [],
  registry: ['spi'],
  redis: ['spi'],
  conformance: ['spi', 'registry', 'redis'],
  ...Object.fromEntries(
    SPI_PACKAGES.map((name) => [name, ['spi', 'redis', 'conformance', ...(NEEDED.get(name) ?? [])]]),
  ),
  'application-node': ['spi', 'redis', 'conformance', 'http-client'],
  authstate: ['spi', 'registry', 'conformance', ...services.map(({ name }) => name)],
  audit: ['spi', 'authstate'],
  operations: ['spi', 'authstate', 'audit', 'cross-site'],
  cli: ['spi', 'authstate', 'operations', 'audit', 'conformance'],
  console: ['spi', 'authstate', 'operations', 'audit'],
  telemetry: ['spi', 'authstate'],
  // Like an adapter it is a layer over contracts of services, whose providers the application hands in.
  'token-store': ['spi', ...NEEDED.keys()],
  'cross-site': ['spi', 'redis', ...SPI_PACKAGES.filter((name) => existsSync(siteSideOf(name)))],
}

/** What an adapter to somebody's framework may import: `spi`, and contracts. */
const ADAPTER_MAY_IMPORT: readonly string[] = ['spi', ...NEEDED.keys()].filter((name) => name !== 'redis')

const isAdapter = (folder: string): boolean => folder.startsWith('adapters/')

/** Which packages of ours a package may import; `undefined` for one that nobody thought of. */
const mayImport = (folder: string): readonly string[] | undefined =>
  isAdapter(folder) ? ADAPTER_MAY_IMPORT : MAY_IMPORT[folder]

const IS_SUITE = /^(conformance\.ts|conformance\/.*)$/
/** Entries of the front door for tests. */
const IS_FOR_TESTS = /^(testing\.ts|subpaths\/[^/]+\/conformance\.ts)$/
const IS_REDIS_SIDE = /^(redis\.ts|scripts\.ts|redis\/.*)$/
const IS_EXAMPLE_TEST = /^examples\/[^/]+\/test\//
const MAX_LINES = 400

interface Source {
  readonly path: string
  readonly folder: string
  /** Below src. */
  readonly file: string
  readonly text: string
}

const sourcesOf = (files: Files): Source[] =>
  [...files].flatMap(([path, text]) => {
    const [, folder, file] = /^packages\/((?:adapters\/)?[^/]+)\/src\/(.+\.ts)$/.exec(path) ?? []
    return folder === undefined || file === undefined ? [] : [{ path, folder, file, text }]
  })

/** `@authstate/redis/x` and `authstate` are ours; the folder of the package, or undefined. */
function ownPackage(specifier: string): string | undefined {
  if (specifier === 'authstate' || specifier.startsWith('authstate/')) return 'authstate'
  return /^@authstate\/([^/]+)/.exec(specifier)?.[1]
}

function offence(source: Source, { specifier, kind }: Import): string | undefined {
  const { folder, file } = source
  const isSpi = SPI_PACKAGES.includes(folder)
  const target = ownPackage(specifier)
  if (target !== undefined) {
    if (target === folder) return 'imports itself by name'
    if (!mayImport(folder)?.includes(target)) return `${folder} may not import ${target}`
    if (isAdapter(folder) && specifier !== `@authstate/${target}`) return 'an adapter imports contracts only'
    if (isSpi && target === 'conformance' && !IS_SUITE.test(file))
      return 'only the suite imports the test kit'
    if (folder === 'authstate' && target === 'conformance' && !IS_FOR_TESTS.test(file))
      return 'only testing.ts imports the test kit'
    if (isSpi && target === 'redis' && !IS_REDIS_SIDE.test(file))
      return 'only redis.ts and scripts.ts know Redis'
  }
  if (/^ioredis\d*(\/|$)/.test(specifier) && isAdapter(folder)) return 'an adapter knows no Redis'
  if (/^ioredis\d*(\/|$)/.test(specifier) && kind !== 'type' && folder !== 'conformance') {
    if (folder !== 'redis') return 'ioredis is a type outside packages/redis'
    if (kind !== 'dynamic') return 'ioredis is an optional peer: import() it'
  }
  if (specifier.startsWith('.')) {
    const reached = posix.join(posix.dirname(source.path), specifier)
    if (!reached.startsWith(`packages/${folder}/src/`)) return 'reaches out of its own src'
  }
  return undefined
}

/** What a relative import names: `./x.js` is `x.ts`. */
const resolveRelative = (from: string, specifier: string): string =>
  posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')

/** The way from `index.ts` of an SPI package to its Redis side, types included, or undefined. */
function wayToRedis(files: Files, folder: string): string[] | undefined {
  const start = `packages/${folder}/src/index.ts`
  const ways = [[start]]
  const seen = new Set([start])
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const path = way.at(-1) as string
    for (const { specifier, kind } of importsOf(path, files.get(path) ?? '')) {
      if (kind === 'dynamic') continue
      const next = specifier.startsWith('.') ? resolveRelative(path, specifier) : specifier
      const below = next.replace(`packages/${folder}/src/`, '')
      if (IS_REDIS_SIDE.test(below) || IS_SUITE.test(below) || next === '@authstate/redis')
        return [...way, next]
      if (!specifier.startsWith('.') || seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return undefined
}

/** What a file of this name takes from elsewhere is built into the package, so that nobody has to install it. */
const IS_BUILT_IN = /-part\.ts$/

function undeclared(files: Files, { folder, path, text }: Source): string[] {
  const manifest = JSON.parse(files.get(`packages/${folder}/package.json`) ?? '{}') as Record<string, object>
  const built = IS_BUILT_IN.test(path) ? manifest['devDependencies'] : {}
  const declared = { ...manifest['dependencies'], ...manifest['peerDependencies'], ...built }
  return importsOf(path, text)
    .filter(({ specifier }) => !/^(\.|node:)/.test(specifier))
    .filter(({ specifier }) => !(packageName(specifier) in declared))
    .map(({ specifier, line }) => `${path}:${line} ${specifier}: not a dependency of the package`)
}

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

/** Every place where the packages' sources leave the plan of the house. */
export function packageOffences(files: Files): string[] {
  const sources = sourcesOf(files)
  const folders = [...new Set(sources.map((s) => s.folder))]
  return [
    ...folders
      .filter((f) => mayImport(f) === undefined)
      .map((f) => `packages/${f}: has no place in the plan`),
    ...sources.flatMap((source) => [
      ...importsOf(source.path, source.text).flatMap((item) => {
        const what = offence(source, item)
        return what === undefined ? [] : [`${source.path}:${item.line} ${item.specifier}: ${what}`]
      }),
      ...undeclared(files, source),
      ...(source.text.split('\n').length > MAX_LINES + 1 && !IS_SUITE.test(source.file)
        ? [`${source.path}: more than ${MAX_LINES} lines`]
        : []),
    ]),
    ...SPI_PACKAGES.flatMap((folder) => {
      const way = wayToRedis(files, folder)
      return way === undefined ? [] : [`${way.join(' -> ')}: a memory-only user would load it`]
    }),
  ]
}

/** The names a package publishes: `@authstate/spi`, `@authstate/action-token/redis`. */
export function publishedNames(files: Files): Set<string> {
  const manifests = [...files].filter(([path]) => /^packages\/(adapters\/)?[^/]+\/package\.json$/.test(path))
  return new Set(
    manifests.flatMap(([, text]) => {
      const { name, exports } = JSON.parse(text) as { name: string; exports: Record<string, unknown> }
      return Object.keys(exports).map((entry) => name + entry.slice(1))
    }),
  )
}

/** Examples use published names only, and nothing outside their own folder; their tests also the tests' support. */
export function exampleOffences(files: Files): string[] {
  const published = publishedNames(files)
  return [...files]
    .filter(([path]) => /^examples\/.+\.[cm]?[jt]sx?$/.test(path))
    .flatMap(([path, text]) => {
      const home = path.split('/').slice(0, 2).join('/')
      return importsOf(path, text).flatMap(({ specifier, line }) => {
        const reached = resolveRelative(path, specifier)
        const allowed = IS_EXAMPLE_TEST.test(path) ? [`${home}/`, 'tools/'] : [`${home}/`]
        const leaves = specifier.startsWith('.') && !allowed.some((folder) => reached.startsWith(folder))
        const unknown = ownPackage(specifier) !== undefined && !published.has(specifier)
        return leaves || unknown ? [`${path}:${line} ${specifier}: not a published name`] : []
      })
    })
}
