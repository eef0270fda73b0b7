// npm run test:tarballs [-- --only bun,webpack]: a fresh project installs the packages as they would be published, with npm, and runs the
// program of the README: on Node 20, 22 and 24, Bun and Deno, as ES module and as CommonJS, in memory and on a Redis, bundled by
// esbuild and webpack, and in a test of vitest and of Jest 30. A second project installs every package and loads each of its entries.
// The runtimes come from the npm registry. From a fresh clone.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { installDependencies, requireNode } from './lib/install.mjs'
import { nodeOf, npmFolder } from './lib/npm-folder.mjs'
import { packageFolders } from './lib/packages.mjs'
import { root, runProgram, seconds, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

const NODES = ['20', '22', '24']
const BUN = 'bun@1.4.5'
const DENO = 'deno@2.9.6'
const WEBPACK = 'webpack@5.113.0'
const JEST = '30.5.2'

const PROGRAM = /^```js\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? ''
const PRINTED = "[ 'consumed', 'used' ]\nundefined\n"

/** The same program for `require`. */
const REQUIRED = `${PROGRAM.replace(/^import (\{.*\}) from '(.*)'$/m, "const $1 = require('$2')\n;(async () => {")}})()\n`

/** What an application's own test is. */
const tested = (imports) => `
${imports}

test('a session ends', async () => {
  const { state, clock } = await createTestState()
  const { userSessions } = state.realm('acme')
  const { session } = await userSessions.create({ userId: 'u-1', loginUsername: 'ada' })
  clock.advance(365 * 86_400_000)
  expect(await userSessions.get(session.id)).toBeUndefined()
  await state.close()
})
`
const OF_VITEST = tested(
  `import { createTestState } from 'authstate/testing'\nimport { expect, test } from 'vitest'`,
)
const OF_JEST = tested(`const { createTestState } = require('authstate/testing')`)

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(',')

async function runOrThrow(command, args, cwd, env = toolEnv()) {
  const { status, output } = await runProgram(command, args, { cwd, env, quiet: true })
  if (status !== 0) throw new Error(`${basename(command)} ${args.join(' ')} ended with ${status}\n${output}`)
  return output
}

/** The front door and whatever it depends on, by name. */
function frontDoor(packages) {
  const byName = new Map(packages.map((p) => [p.manifest.name, p]))
  const names = new Set(['authstate'])
  for (const name of names)
    for (const needed of Object.keys(byName.get(name).manifest.dependencies ?? {}))
      if (byName.has(needed)) names.add(needed)
  return [...names].map((name) => byName.get(name))
}

/** Every package that may be published, packed. */
async function packAll(out) {
  const packages = packageFolders()
    .map((folder) => join(root, folder))
    .map((dir) => ({ dir, manifest: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private)
  const pnpm = join(root, 'node_modules', '.bin', 'pnpm')
  for (const p of packages) {
    const report = JSON.parse(await runOrThrow(pnpm, ['pack', '--json', '--pack-destination', out], p.dir))
    p.tarball = join(out, basename(report.filename))
  }
  return packages
}

/** A project outside the workspace, in which npm has installed tarballs. */
async function projectWith(project, packages, manifest) {
  const tarballs = Object.fromEntries(packages.map((p) => [p.manifest.name, `file:${p.tarball}`]))
  mkdirSync(project)
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      name: 'fresh-project',
      private: true,
      ...manifest,
      dependencies: { ...tarballs, ...manifest.dependencies },
    }),
  )
  await runOrThrow('npm', ['install', '--no-audit', '--no-fund'], project)
  return project
}

/** The project of somebody who reads the README. */
async function freshProject(out, packages) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { ioredis, vitest, vite } = devDependencies
  const project = await projectWith(join(out, 'project'), packages, {
    dependencies: { ioredis },
    devDependencies: { vitest, vite, jest: JEST },
    jest: { testMatch: ['**/*.jest.cjs'], testEnvironment: 'node', transform: {} },
  })
  writeFileSync(join(project, 'start.mjs'), PROGRAM)
  writeFileSync(join(project, 'start.cjs'), REQUIRED)
  writeFileSync(join(project, 'state.test.mjs'), OF_VITEST)
  writeFileSync(join(project, 'state.jest.cjs'), OF_JEST)
  return project
}

/** The project of somebody who installs every package, and every framework that one of them is for. */
async function everyPackage(out, packages) {
  const ours = new Set(packages.map((p) => p.manifest.name))
  const peers = packages.flatMap(({ manifest: { peerDependencies = {}, devDependencies = {} } }) =>
    Object.keys(peerDependencies)
      .filter((name) => !ours.has(name))
      .map((name) => [name, devDependencies[name] ?? peerDependencies[name]]),
  )
  const dependencies = Object.fromEntries(peers)
  const project = await projectWith(join(out, 'every-package'), packages, { dependencies })
  const entries = packages.flatMap(({ manifest: { name, exports } }) =>
    Object.keys(exports)
      .filter((path) => !path.endsWith('.json'))
      .map((path) => name + path.slice(1)),
  )
  const list = JSON.stringify(entries)
  writeFileSync(join(project, 'all.mjs'), `for (const entry of ${list}) await import(entry)\nprocess.exit()`)
  writeFileSync(join(project, 'all.cjs'), `for (const entry of ${list}) require(entry)\nprocess.exit()`)
  return { project, count: entries.length }
}

/** Each runtime, with how it runs a file. */
async function runtimes() {
  const nodes = await Promise.all(
    NODES.map(async (version) => {
      const program = await nodeOf(version)
      return { name: `node ${version}`, program, args: (file) => [file] }
    }),
  )
  const others = await npmFolder('bun-and-deno', [BUN, DENO])
  const bin = (name) => join(others, 'node_modules', '.bin', name)
  return [
    ...nodes,
    { name: 'bun', program: bin('bun'), args: (file) => [file] },
    { name: 'deno', program: bin('deno'), args: (file) => ['run', '--allow-all', file] },
  ]
}

const bare = ({ REDIS_URL: _, NODE_OPTIONS: __, ...env }) => ({ ...env, NO_COLOR: '1' })

function expectPrinted(output) {
  // Bun and Deno quote otherwise, and ioredis warns before it where webpack has bundled it.
  if (!output.replaceAll('"', "'").endsWith(PRINTED)) throw new Error(`it printed ${JSON.stringify(output)}`)
}

async function checksOf(project, every, redisUrl) {
  const env = bare(toolEnv())
  const checks = []
  for (const { name, program, args } of await runtimes()) {
    const version = (await runOrThrow(program, ['--version'], project)).trim().split('\n')[0]
    for (const file of ['all.mjs', 'all.cjs'])
      checks.push([
        `${name} ${file}: ${every.count} entries of all packages`,
        () => runOrThrow(program, args(file), every.project, env),
      ])
    for (const file of ['start.mjs', 'start.cjs'])
      for (const [store, url] of [
        ['memory', {}],
        ['Redis', { REDIS_URL: redisUrl }],
      ])
        checks.push([
          `${name} (${version}) ${file} ${store}`,
          async () => expectPrinted(await runOrThrow(program, args(file), project, { ...env, ...url })),
        ])
  }
  const redis = { ...env, REDIS_URL: redisUrl }
  const runBundle = async (file) => {
    for (const given of [env, redis])
      expectPrinted(await runOrThrow(process.execPath, [file], project, given))
  }
  checks.push([
    'esbuild, bundle run in memory and on Redis',
    async () => {
      const { build } = await import('esbuild')
      // ioredis is CommonJS, so a bundle of ES modules needs `require`; a bundle of CommonJS has it.
      await build({
        entryPoints: [join(project, 'start.cjs')],
        outfile: join(project, 'esbuild.cjs'),
        bundle: true,
        platform: 'node',
        format: 'cjs',
        logLevel: 'error',
      })
      await runBundle('esbuild.cjs')
    },
  ])
  checks.push([
    'webpack, bundle run in memory and on Redis',
    async () => {
      const folder = await npmFolder('webpack', [WEBPACK])
      const { default: webpack } = await import(join(folder, 'node_modules', 'webpack', 'lib', 'index.js'))
      const stats = await new Promise((resolve, reject) =>
        webpack(
          {
            mode: 'production',
            target: 'node20',
            context: project,
            entry: './start.mjs',
            output: { path: project, filename: 'webpack.cjs', library: { type: 'commonjs2' } },
          },
          (error, result) => (error ? reject(error) : resolve(result)),
        ),
      )
      if (stats.hasErrors()) throw new Error(stats.toString({ colors: false }))
      await runBundle('webpack.cjs')
    },
  ])
  checks.push([
    'vitest, a test of an application',
    () => runOrThrow(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], project, env),
  ])
  checks.push([
    `jest ${JEST}, a test of an application`,
    () => runOrThrow(process.execPath, ['node_modules/jest/bin/jest.js'], project, env),
  ])
  return checks
}

requireNode()
const out = mkdtempSync(join(tmpdir(), 'authstate-tarballs-'))
let redis
let failed = 0
try {
  await installDependencies()
  await ensureRedis()
  await runOrThrow(
    join(root, 'node_modules', '.bin', 'turbo'),
    ['run', 'build', '--output-logs=errors-only'],
    root,
  )
  redis = await (await import('./servers/redis.mjs')).startRedis()
  const packages = await packAll(out)
  const wanted = frontDoor(packages)
  const project = await freshProject(out, wanted)
  console.log(`installed with npm: ${wanted.map((p) => p.manifest.name).join(', ')}`)
  const every = await everyPackage(out, packages)
  const checks = await checksOf(project, every, redis.url)
  for (const [what, check] of checks.filter(
    ([what]) => only?.some((name) => what.startsWith(name)) ?? true,
  )) {
    const begun = performance.now()
    try {
      await check()
      console.log(`ok     ${what.padEnd(48)} ${seconds(begun)}`)
    } catch (error) {
      failed += 1
      console.log(`FAILED ${what}\n${error.message}`)
    }
  }
  console.log(failed === 0 ? 'tarballs: all good' : `tarballs: ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await redis?.stop()
  rmSync(out, { recursive: true, force: true })
}
