import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { command, folderWith, type Given } from './support.js'

const JSONC = `{
  // Where the state lives.
  "provider": "redis",
  "redis": {
    "url": "redis://127.0.0.1:6379", // the one of this host
    "partitions": 16
  },
  "spi": {
    "login-failure": { "redis": { "failPolicy": "open" } }, /* for now */
  }
}
`
const YAML = `# Where the state lives.
provider: redis
redis:
  url: redis://127.0.0.1:6379 # the one of this host
  partitions: 16
spi:
  login-failure:
    redis:
      failPolicy: open # for now
`

const NAMES = { json: 'authstate.config.jsonc', yaml: 'authstate.config.yaml' }

describe.each([
  ['JSONC', NAMES.json, JSONC],
  ['YAML', NAMES.yaml, YAML],
])('%s', (_, name, text) => {
  const edit = async (args: readonly string[], given: Given = {}) => {
    const cwd = await folderWith({ [name]: text })
    const said = await command(['config', ...args], { cwd, ...given })
    return { ...said, text: await readFile(join(cwd, name), 'utf8') }
  }
  /** Lines that went and came. */
  const difference = (after: string) => {
    const [was, is] = [text.split('\n'), after.split('\n')]
    return { gone: was.filter((line) => !is.includes(line)), come: is.filter((line) => !was.includes(line)) }
  }

  test('a property is set, and every comment stays', async () => {
    const { code, text: after, out } = await edit(['set', 'redis.partitions', '64'])
    expect(code).toBe(0)
    const { gone, come } = difference(after)
    expect([gone.length, come.length]).toEqual([1, 1])
    expect(come[0]).toContain('64')
    expect(out).toContain('takes effect at the next start')
    for (const comment of ['Where the state lives.', 'the one of this host', 'for now'])
      expect(after).toContain(comment)
  })

  test('a property of a provider is found where it stands', async () => {
    const { text: after } = await edit(['set', 'login-failure.failPolicy', 'closed'])
    const { gone, come } = difference(after)
    expect([gone.length, come.length]).toEqual([1, 1])
    expect(come[0]).toContain('closed')
    expect(come[0]).toContain('for now')
  })

  test('a new property goes to the provider that is selected', async () => {
    const { code, text: after } = await edit(['set', 'user-session.maxNotesBytes', '8192'])
    expect(code).toBe(0)
    expect(difference(after).gone.length).toBeLessThanOrEqual(1)
    expect(after).toMatch(/user-session[\s\S]*redis[\s\S]*maxNotesBytes"?: 8192/)
  })

  test('a property is removed, and the default that applies is said', async () => {
    const { code, text: after, out } = await edit(['unset', 'login-failure.failPolicy'])
    expect(code).toBe(0)
    expect(after).not.toContain('failPolicy')
    expect(out).toContain('login-failure.failPolicy is "local" now')
  })

  test('a provider is chosen, an SPI is switched off and on again', async () => {
    const { text: chosen } = await edit(['set-provider', 'realm-cache', 'memory'])
    expect(chosen).toMatch(/realm-cache[\s\S]*provider"?: "?memory/)
    const { text: off } = await edit(['disable', 'login-failure', 'redis'])
    expect(off).toMatch(/enabled"?: false/)
    const cwd = await folderWith({ [name]: off })
    expect((await command(['config', 'enable', 'login-failure'], { cwd })).code).toBe(0)
    expect(await readFile(join(cwd, name), 'utf8')).not.toContain('enabled')
  })

  test('what is not selected cannot be switched off', async () => {
    const { code, err, text: after } = await edit(['disable', 'login-failure', 'memory'])
    expect(code).toBe(5)
    expect(err).toContain("it uses 'redis'")
    expect(after).toBe(text)
  })

  test('a batch is all or nothing', async () => {
    const good =
      'set redis.partitions 32\n# a comment\nset-provider cluster memory\n\nset user-session.maxNotesBytes 1024\n'
    const all = await edit(['batch'], { input: good })
    expect(all.code).toBe(0)
    expect(all.text).toMatch(/32[\s\S]*1024/)
    for (const bad of [
      'set redis.partitons 1',
      'set redis.partitions many',
      'sett redis.partitions 8',
      'unset redis.tls',
    ]) {
      const none = await edit(['batch'], { input: `${good}${bad}\n` })
      expect(none.code, bad).toBeGreaterThan(0)
      expect(none.text, bad).toBe(text)
    }
  })

  test('--dry-run shows and writes nothing', async () => {
    const { code, out, text: after } = await edit(['set', 'redis.partitions', '64', '--dry-run'])
    expect(code).toBe(0)
    expect(out).toContain('64')
    expect(out).toContain('nothing was written')
    expect(after).toBe(text)
  })

  test('what is there already changes nothing', async () => {
    const { code, out, text: after } = await edit(['set', 'redis.partitions', '16'])
    expect([code, after]).toEqual([0, text])
    expect(out).toContain('says so already')
  })

  test.each([
    [
      ['set', 'usersession.maxNotesBytes', '5'],
      "no SPI has the name 'usersession'",
      "Did you mean 'user-session'?",
    ],
    [['set', 'user-session.maxNoteBytes', '5'], 'maxNoteBytes', "Did you mean 'maxNotesBytes'?"],
    [['set', 'user-session.maxNotesBytes', 'many'], 'maxNotesBytes', 'number'],
    [['set-provider', 'user-session', 'reddis'], 'spi.user-session.provider', "Did you mean 'redis'?"],
    [['set', 'redis.partitions', '1000'], 'redis.partitions', '256'],
    [['explain', 'user-sesion'], 'user-sesion', "Did you mean 'user-session'?"],
    [['set', 'redis.partitions', '8', '--dryrun'], '--dryrun', '--dry-run'],
    [['sett', 'redis.partitions', '8'], 'sett', 'set'],
  ])('%j names what was meant, and ends with 3', async (args, wrong, right) => {
    const { code, err, text: after } = await edit(args)
    expect(code).toBe(3)
    expect(err).toContain(wrong)
    expect(err).toContain(right)
    expect(after).toBe(text)
  })

  test('a variable that overrides a property is told of', async () => {
    const env = { AUTHSTATE_REDIS__PARTITIONS: '4' }
    const { code, err } = await edit(['set', 'redis.partitions', '64'], { env })
    expect(code).toBe(0)
    expect(err).toContain('overrides redis.partitions')
  })

  test('a password is taken from standard input alone, and shown nowhere', async () => {
    const shown = await edit(['set', 'redis.password', 'open-secret'])
    expect(shown.code).toBe(2)
    expect(shown.text).toBe(text)
    const { code, out, text: after } = await edit(['set', 'redis.password', '-'], { input: 'open-secret\n' })
    expect(code).toBe(0)
    expect(after).toContain('open-secret')
    expect(out).not.toContain('open-secret')
    const cwd = await folderWith({ [name]: after })
    const next = await command(['config', 'set', 'redis.password', '-'], { cwd, input: 'other-secret' })
    expect(next.out).not.toMatch(/open-secret|other-secret/)
    expect((await command(['config', 'explain', '--json'], { cwd })).out).not.toContain('open-secret')
  })

  test('a list grows and shrinks', async () => {
    const added = await edit(['add-to-list', 'redis.changes.consumers', '{"name":"audit"}'])
    expect([added.code, added.err]).toEqual([0, ''])
    expect(added.text).toContain('audit')
    const cwd = await folderWith({ [name]: added.text })
    const again = await command(['config', 'add-to-list', 'redis.changes.consumers', '{"name":"audit"}'], {
      cwd,
    })
    expect(again.out).toContain('says so already')
    const removed = await command(
      ['config', 'remove-from-list', 'redis.changes.consumers', '{"name":"audit"}'],
      { cwd },
    )
    expect(removed.code).toBe(0)
    expect(await readFile(join(cwd, name), 'utf8')).not.toContain('audit')
    const absent = await command(
      ['config', 'remove-from-list', 'redis.changes.consumers', '{"name":"audit"}'],
      { cwd },
    )
    expect(absent.code).toBe(5)
  })
})

test('the rights of a file stay, and nothing is left beside it', async () => {
  const { chmod, readdir } = await import('node:fs/promises')
  const cwd = await folderWith({ [NAMES.json]: JSONC })
  await chmod(join(cwd, NAMES.json), 0o600)
  await command(['config', 'set', 'redis.partitions', '64'], { cwd })
  expect((await stat(join(cwd, NAMES.json))).mode & 0o777).toBe(0o600)
  expect(await readdir(cwd)).toEqual([NAMES.json])
})

test('a damaged file is named with its line, and stays', async () => {
  const cwd = await folderWith({ 'authstate.config.json': '{\n  "provider": "redis",\n  "redis": {\n' })
  const { code, err } = await command(['config', 'set', 'redis.partitions', '64'], { cwd })
  expect(code).toBe(3)
  expect(err).toMatch(/authstate\.config\.json: line \d is damaged/)
})

test('a program is not changed', async () => {
  const cwd = await folderWith({ 'authstate.config.mjs': 'export default { provider: "memory" }\n' })
  const { code, err } = await command(['config', 'set', 'redis.partitions', '64'], { cwd })
  expect(code).toBe(6)
  expect(err).toContain('change it by hand')
})

test('a file that is read-only, or lies where nothing can be written, is refused and stays', async () => {
  const name = 'authstate.config.json'
  const text = '{ "provider": "memory" }\n'
  const line = ['config', 'set', 'login-failure.failPolicy', 'open']
  const cwd = await folderWith({ [name]: text })
  await chmod(join(cwd, name), 0o444)
  const refused = await command(line, { cwd })
  expect([refused.code, refused.err]).toEqual([
    6,
    expect.stringContaining('cannot be written: it is read-only'),
  ])
  expect(refused.out).toBe('')
  expect((await command([...line, '--dry-run'], { cwd })).code).toBe(0)
  expect(await readFile(join(cwd, name), 'utf8')).toBe(text)
  // What is in the way of the new file is as good as a folder that takes none.
  await chmod(join(cwd, name), 0o644)
  const beside = join(cwd, `${name}.${process.pid}.new`)
  await mkdir(beside)
  const other = await command(line, { cwd })
  expect([other.code, other.err]).toEqual([
    6,
    expect.stringMatching(/EISDIR in its folder\. Nothing was changed/),
  ])
  expect(await readFile(join(cwd, name), 'utf8')).toBe(text)
})

test('a file that is not there is named, with the one that was meant', async () => {
  const cwd = await folderWith({ 'prod.yaml': 'provider: memory\n' })
  const { code, err } = await command(['config', 'validate', '--config', 'prd.yaml'], { cwd })
  expect(code).toBe(3)
  expect(err).toContain("Did you mean 'prod.yaml'?")
})

test('a configuration is validated: file, module, variables', async () => {
  const cwd = await folderWith({
    'good.yaml': YAML,
    'made.mjs': 'export default () => ({ provider: "memory" })\n',
    'bad.json': '{ "provider": "redis", "redis": { "url": "redis://127.0.0.1:1", "partitons": 4 } }',
  })
  const good = await command(['config', 'validate', '--config', 'good.yaml', '--json'], { cwd })
  expect(good.code).toBe(0)
  expect(JSON.parse(good.out)).toMatchObject({ valid: true, selected: { 'user-session': 'redis' } })
  expect((await command(['config', 'validate', '--config', 'made.mjs'], { cwd })).out).toContain(
    'user-session memory',
  )
  const bad = await command(['config', 'validate', '--config', 'bad.json'], { cwd })
  expect(bad.code).toBe(3)
  expect(bad.err).toContain("Did you mean 'partitions'?")
  const variable = await command(['config', 'validate'], {
    env: { AUTHSTATE_SPI__USER_SESION__PROVIDER: 'redis' },
  })
  expect(variable.code).toBe(3)
  expect(variable.err).toContain('AUTHSTATE_SPI__USER_SESSION__PROVIDER')
})

test('a plugin brings an SPI and a provider', async () => {
  const plugin = `export default [{
    spi: { name: 'greetings' }, id: 'loud', create: () => ({}),
  }, { spi: { name: 'greetings' }, id: 'quiet', create: () => ({}) }]\n`
  const cwd = await folderWith({ 'plugin.mjs': plugin, 'authstate.config.json': '{}\n' })
  const { code, err } = await command(
    ['config', 'set-provider', 'greetings', 'loud', '--plugin', 'plugin.mjs'],
    { cwd },
  )
  expect([code, err]).toEqual([0, ''])
  expect(JSON.parse(await readFile(join(cwd, 'authstate.config.json'), 'utf8'))).toEqual({
    spi: { greetings: { provider: 'loud' } },
  })
})

test('a schema and an explanation can be read by a program', async () => {
  const { out } = await command(['config', 'schema', 'user-session', 'redis'])
  expect(JSON.parse(out)).toMatchObject({ type: 'object', properties: { maxNotesBytes: {} } })
  const unknown = await command(['config', 'schema', 'user-session', 'rediss'])
  expect([unknown.code, unknown.err]).toEqual([3, expect.stringContaining("Did you mean 'redis'?")])
  const cwd = await folderWith({ [NAMES.yaml]: YAML })
  const explained = await command(['config', 'explain', 'login-failure'], { cwd })
  expect(explained.out).toMatch(/login-failure {2}redis, because/)
  expect(explained.out).toMatch(/failPolicy +open +config/)
})
