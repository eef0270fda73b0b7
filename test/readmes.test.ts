// The first program of every package's README runs as it stands, and prints what a reader would expect.
import { spawnSync } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { services } from '../packages/authstate/src/services.js'
import { packageFolders } from '../tools/lib/packages.mjs'
import { bundleText } from '../tools/testing/bundle.js'
import { describeWith, redis, redisUrl } from '../tools/testing/capabilities.js'
import { Child } from '../tools/testing/child.js'
import { typescriptBlocks } from './lib/markdown.js'
import { readTracked, root } from './lib/tracked.js'

const programs = new Map(
  [...readTracked(/^packages\/(adapters\/)?[^/]+\/README\.md$/)].map(([path, text]) => [
    basename(dirname(path)),
    typescriptBlocks(path, text)[0]?.code ?? '',
  ]),
)

/** Where a reader would write it: the kit depends on no SPI, and services are imported from the front door. */
function folderOf(name: string): string {
  if (name === 'conformance') return 'examples/custom-provider'
  if (services.some((service) => service.name === name)) return 'packages/authstate'
  return packageFolders().find((folder) => basename(folder) === name) ?? ''
}

/** Runs a program as a file of a folder would. @returns what it printed */
async function run(code: string, folder: string): Promise<string> {
  const { NODE_OPTIONS: _, REDIS_URL: __, ...env } = process.env
  const cwd = join(root, folder)
  return new Child(bundleText(code, cwd), [], { cwd, env }).finished()
}

/** What a program prints, where that is more to check than that it prints something. */
const PRINTED: Readonly<Record<string, RegExp>> = {
  'action-token': /^consumed\n$/,
  'auth-session': /^u-1 \{\}\n$/,
  audit: /^user\.end done grace\nuser\.end begun grace\n$/,
  authjs: /^null\n$/,
  authstate: /loginUsername: 'ada'/,
  'application-node': /^\[ 'mail delivered 1', 'shop delivered 2' \]\n$/,
  'better-auth': /^\[ 't-2', 't-3' \]\n$/,
  cli: /^redis {2}/,
  console: /^200\n401\n$/,
  cluster: /^a hello\n17\n$/,
  conformance: /# pass \d{2}[\s\S]*# fail 0/,
  'express-session': /^\[ 'id-2' \]\n$/,
  hostname: /^https:\/\/login\.example\.com\/realms\/acme 203\.0\.113\.7\n$/,
  'http-client': /^egress 200 hello\n$/,
  'login-failure': /^failure\n$/,
  operations: /^online ada \[ 'shop' \]\n\{ ended: 0, unknown: 0 \}\n$/,
  'oidc-provider': /^\[\]\n\[ 'redeemed', 'invalid_grant' \]\n$/,
  'realm-cache': /^alice alice 0\.?\d*\n$/,
  registry: /^$/,
  spi: /^greetings memory\n$/,
  'saml-cache': /^fulfilled\nrejected\n$/,
  'sticky-session-encoder': /^AUTH_SESSION_ID=\S+\.n1; Path=\/; HttpOnly; Secure; SameSite=None undefined\n$/,
  telemetry:
    /^# HELP authstate_tokens_replayed_total [\s\S]*\nauthstate_tokens_replayed_total\{kind="code"\} 1\n$/,
  'user-session': /^1\n$/,
  'web-session': /^stored refused\n$/,
}

test('every package has a program in its README', () => {
  for (const [name, program] of programs)
    expect([name, program]).toEqual([name, expect.stringContaining('import')])
  for (const name of Object.keys(PRINTED)) expect([...programs.keys()]).toContain(name)
})

describe('the program of the README of', () => {
  const names = [...programs.keys()].filter((name) => name !== 'redis')
  test.concurrent.each(names)('%s', { timeout: 90_000 }, async (name) => {
    expect(await run(programs.get(name) ?? '', folderOf(name))).toMatch(PRINTED[name] ?? /./)
  })
})

describe('the first program of the README', () => {
  const page = readTracked(/^README\.md$/).get('README.md') ?? ''
  const program = /^```js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''

  test('is the first thing a reader sees behind the installation', () => {
    const [first, second] = [...page.matchAll(/^```(\w+)\n(.*)$/gm)].map(([, language, line]) => [
      language,
      line,
    ])
    expect(first).toEqual(['sh', expect.stringMatching(/^npm install authstate ioredis\b/)])
    expect(second).toEqual(['js', "import { createAuthState } from 'authstate'"])
    expect(
      program.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('//')).length,
    ).toBeLessThan(16)
  })

  // Node reads it by itself: a bundler would also translate what Node 20 cannot read.
  test.each([
    ['of the repository', program],
    ['of the package', programs.get('authstate') ?? ''],
  ])('%s is JavaScript', (_, code) => {
    const checked = spawnSync(process.execPath, ['--input-type=module', '--check'], {
      input: code,
      encoding: 'utf8',
    })
    expect([code, checked.stderr]).toEqual([expect.stringContaining('createAuthState('), ''])
  })

  test('runs as it stands', { timeout: 90_000 }, async () => {
    expect(await run(program, 'packages/authstate')).toBe("[ 'consumed', 'used' ]\nundefined\n")
  })
})

describeWith(redis, 'the program of the five-minute start', () => {
  test('one process finds the session of another, and ends it', { timeout: 90_000 }, async () => {
    const page = readTracked(/^docs\/start\.md$/).get('docs/start.md') ?? ''
    const cwd = join(root, 'packages', 'authstate')
    const program = bundleText(/^```js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '', cwd)
    const start = (...args: string[]) =>
      new Child(program, args, { cwd, env: { ...process.env, REDIS_URL: redisUrl() } }).finished()
    const id = (await start()).trim()
    expect(await start('get', id)).toBe('ada\n')
    expect(await start('logout', id)).toBe('true\n')
    expect(await start('get', id)).toBe('undefined\n')
  })
})

describeWith(redis, 'the program of the README of redis', () => {
  test('counts', { timeout: 90_000 }, async () => {
    const program = programs.get('redis') ?? ''
    expect(program).toContain("connect('redis://localhost:6379')")
    expect(await run(program.replace('redis://localhost:6379', redisUrl()), 'packages/redis')).toMatch(
      /^\d+\n$/,
    )
  })
})
