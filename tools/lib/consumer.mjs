// Two programs outside the workspace that install the packed packages: one with every peer, one without Redis.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

const entriesOf = ({ manifest }) =>
  Object.keys(manifest.publishConfig.exports)
    .filter((entry) => entry !== './package.json')
    .map((entry) => manifest.name + entry.slice(1))

/** The versions of the peers this repository is developed with. */
const peersOf = ({ manifest }) =>
  Object.keys(manifest.peerDependencies ?? {})
    .map((name) => [name, manifest.devDependencies?.[name]])
    .filter(([, version]) => version !== undefined && !version.startsWith('workspace:'))

/** Types of peers that bring none of their own. */
const typesOf = ({ manifest }) =>
  Object.keys(manifest.peerDependencies ?? {})
    .map((name) => [`@types/${name}`, manifest.devDependencies?.[`@types/${name}`]])
    .filter(([, version]) => version !== undefined)

/** Whether a package works in a project that has nothing but packages of ours. */
const needsNobody = ({ manifest }) =>
  manifest.name !== '@authstate/conformance' &&
  manifest.dependencies?.ioredis === undefined &&
  Object.keys(manifest.peerDependencies ?? {}).every(
    (name) => name === 'ioredis' || name.startsWith('@authstate/'),
  )

async function install({ name, out, packages, dependencies, run }) {
  const dir = join(out, name)
  mkdirSync(dir)
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name, private: true, dependencies }))
  // pnpm 10 reads settings, overrides included, from pnpm-workspace.yaml
  const overrides = packages.map((p) => `  '${p.manifest.name}': 'file:${p.tarball}'`)
  writeFileSync(
    join(dir, 'pnpm-workspace.yaml'),
    ['packages: []', 'autoInstallPeers: false', 'overrides:', ...overrides, ''].join('\n'),
  )
  await run('pnpm', ['install', '--prefer-offline', '--no-frozen-lockfile'], dir)
  return dir
}

const esm = (entries) =>
  entries
    .map(
      (e, i) =>
        `import * as m${i} from '${e}'\nif (!Object.keys(m${i}).length) throw new Error('${e} is empty')`,
    )
    .join('\n')
const cjs = (entries) =>
  entries.map((e) => `if (!Object.keys(require('${e}')).length) throw new Error('${e} is empty')`).join('\n')
const types = (entries) =>
  `${entries.map((e, i) => `import * as m${i} from '${e}'`).join('\n')}\nexport const all = [${entries.map((_, i) => `m${i}`)}]\n`

/**
 * A signed token in CommonJS whose files are run where import() is refused, as test runners do that give each file a context of
 * its own: JOSE, which is an ES module, must be found all the same.
 */
const SIGNS_WITHOUT_IMPORT = `
const Module = require('node:module')
const { readFileSync } = require('node:fs')
const { dirname } = require('node:path')
const vm = require('node:vm')
Module._extensions['.cjs'] = (module, file) => {
  const run = vm.compileFunction(readFileSync(file, 'utf8'), ['exports', 'require', 'module', '__filename', '__dirname'], { filename: file })
  run.call(module.exports, module.exports, module.require.bind(module), module, file, dirname(file))
}
const { createAuthState } = require('authstate')
;(async () => {
  const keyring = { current: 'a', keys: { a: 'secret'.repeat(11) } }
  const state = await createAuthState({ keyring })
  const token = await state.actionTokens.issueActionToken('acme', { userId: 'u', actionId: 'verify-email', lifespanMs: 60_000 })
  const { outcome } = await state.actionTokens.verifyActionToken('acme', token, 'verify-email')
  await state.close()
  if (outcome !== 'valid') throw new Error(outcome)
})()
`

/** Not in the lock file: nothing else here needs the 250 packages that come with it. */
const JEST = '30.5.2'

/** What an application's own tests do, in the module system of Jest, which runs each file in a context of its own. */
const requiredTest = (entries) => `
const { createAuthState } = require('authstate')

test('every entry can be required', () => {
  for (const entry of ${JSON.stringify(entries)}) expect(Object.keys(require(entry))).not.toHaveLength(0)
})

test('an application under fake timers: what has expired is gone, and nothing hangs', async () => {
  jest.useFakeTimers({ now: 1_700_000_000_000 })
  const state = await createAuthState()
  const acme = state.realm('acme')
  const { session: { id } } = await acme.userSessions.create({ userId: 'u-1', loginUsername: 'ada' })
  expect((await acme.userSessions.get(id)).userId).toBe('u-1')
  jest.advanceTimersByTime(365 * 86_400_000)
  expect(await acme.userSessions.get(id)).toBeUndefined()
  await state.close()
})

test('a signed token: JOSE is an ES module', async () => {
  jest.useRealTimers()
  const state = await createAuthState({ keyring: { current: 'a', keys: { a: 'secret'.repeat(11) } } })
  const { actionTokens } = state.realm('acme')
  const token = await actionTokens.issueActionToken({ userId: 'u', actionId: 'verify-email', lifespanMs: 60_000 })
  expect((await actionTokens.verifyActionToken(token, 'verify-email')).outcome).toBe('valid')
  await state.close()
})
`

const importedTest = (entries) => `
import { jest } from '@jest/globals'
import { createAuthState } from 'authstate'

test('every entry can be imported', async () => {
  for (const entry of ${JSON.stringify(entries)}) expect(Object.keys(await import(entry))).not.toHaveLength(0)
})

test('an application under fake timers', async () => {
  jest.useFakeTimers({ now: 1_700_000_000_000 })
  const state = await createAuthState()
  const acme = state.realm('acme')
  const { session: { id } } = await acme.userSessions.create({ userId: 'u-1', loginUsername: 'ada' })
  jest.advanceTimersByTime(365 * 86_400_000)
  expect(await acme.userSessions.get(id)).toBeUndefined()
  await state.close()
})
`

/** Runs an application's tests under Jest, required and imported. */
async function checkJest({ dir, entries, run, check }) {
  const settings = {
    testEnvironment: 'node',
    transform: {},
    testMatch: ['**/*.test.cjs', '**/*.test.mjs'],
    moduleFileExtensions: ['js', 'mjs', 'cjs', 'json'],
  }
  writeFileSync(join(dir, 'jest.config.json'), JSON.stringify(settings))
  writeFileSync(join(dir, 'required.test.cjs'), requiredTest(entries))
  writeFileSync(join(dir, 'imported.test.mjs'), importedTest(entries))
  const jest = (flags, file) =>
    run(
      process.execPath,
      [...flags, 'node_modules/jest/bin/jest.js', '--config', 'jest.config.json', '-i', file],
      dir,
    )
  await check(`consumer requires under Jest ${JEST}`, () => jest([], 'required.test.cjs'))
  await check(`consumer imports under Jest ${JEST}`, () =>
    jest(['--experimental-vm-modules', '--no-warnings'], 'imported.test.mjs'),
  )
}

const TSC_FLAGS =
  '--noEmit --strict --exactOptionalPropertyTypes --skipLibCheck false --target es2022 --types node'

export async function checkConsumers({ packages, out, run, check }) {
  const local = Object.fromEntries(packages.map((p) => [p.manifest.name, `file:${p.tarball}`]))
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const peers = Object.fromEntries(packages.flatMap(peersOf))
  const entries = packages.flatMap(entriesOf)

  await check(`consumer with Redis (${entries.length} entries)`, async () => {
    const given = { jest: JEST, '@types/node': devDependencies['@types/node'] }
    const dependencies = { ...peers, ...Object.fromEntries(packages.flatMap(typesOf)), ...local, ...given }
    const dir = await install({ name: 'consumer', out, packages, dependencies, run })
    for (const [file, text] of [
      ['esm.mjs', esm(entries)],
      ['cjs.cjs', cjs(entries)],
      ['t.mts', types(entries)],
      ['t.cts', types(entries)],
      ['t.ts', types(entries)],
    ]) {
      writeFileSync(join(dir, file), text)
    }
    cpSync(join(root, 'node_modules', 'typescript'), join(dir, 'ts'), { recursive: true, dereference: true })
    const tsc = (module, resolution, files, flags = []) =>
      run(
        process.execPath,
        [
          'ts/lib/tsc.js',
          ...TSC_FLAGS.split(' '),
          ...flags,
          '--module',
          module,
          '--moduleResolution',
          resolution,
          ...files,
        ],
        dir,
      )
    await check('consumer imports', () => run(process.execPath, ['esm.mjs'], dir))
    await check('consumer requires', () => run(process.execPath, ['cjs.cjs'], dir))
    writeFileSync(join(dir, 'no-import.cjs'), SIGNS_WITHOUT_IMPORT)
    await check('consumer signs a token where import() is refused', () =>
      run(process.execPath, ['no-import.cjs'], dir),
    )
    await check('consumer runs the conformance command', () =>
      run(
        join(dir, 'node_modules', '.bin', 'authstate-conformance'),
        ['--list', '--spi', 'login-failure'],
        dir,
      ),
    )
    const [, program] = /^```js\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))
    writeFileSync(join(dir, 'start.mjs'), program)
    await check('consumer runs the program of the README', () => run(process.execPath, ['start.mjs'], dir))
    await check('consumer types nodenext', () => tsc('nodenext', 'nodenext', ['t.mts', 't.cts']))
    await check('consumer types bundler', () => tsc('esnext', 'bundler', ['t.mts']))
    await check('consumer types node10', () => tsc('commonjs', 'node10', ['t.ts'], ['--esModuleInterop']))
    await checkJest({ dir, entries: entries.filter((entry) => !entry.endsWith('/conformance')), run, check })
  })

  // a memory-only user installs no Redis client and must not need one
  const bare = packages.filter(needsNobody)
  await check('consumer without ioredis', async () => {
    const dependencies = Object.fromEntries(bare.map((p) => [p.manifest.name, local[p.manifest.name]]))
    const dir = await install({ name: 'bare', out, packages, dependencies, run })
    const names = bare.flatMap(entriesOf).filter((e) => !e.endsWith('/conformance'))
    writeFileSync(join(dir, 'esm.mjs'), esm(names))
    writeFileSync(join(dir, 'cjs.cjs'), cjs(names))
    await run(process.execPath, ['esm.mjs'], dir)
    await run(process.execPath, ['cjs.cjs'], dir)
  })
}
