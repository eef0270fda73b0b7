import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { redisAudit } from '@authstate/audit/redis'
import { type AuthStateConfig, createAuthState } from 'authstate'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { command, folderWith, type Given } from './support.js'

const KEYRING = { current: 'a', keys: { a: 'a secret of these tests, 32 bytes or more' } }

/** A deployment with one session and an audit, and the command beside it. */
async function deployed(section: object = { provider: 'redis' }) {
  const redisSection = { url: redisUrl(), prefix: `cli-${randomUUID()}` }
  const state = await createAuthState({
    provider: 'redis',
    redis: redisSection,
    keyring: KEYRING,
    providers: [redisAudit()],
  })
  onTestFinished(async () => {
    await state.removeRealm('acme')
    await state.close()
  })
  const client = { clientId: 'portal' }
  await state.userSessions.create('acme', { userId: 'ada', loginUsername: 'ada@example.org', client })
  const config = { provider: 'redis', redis: redisSection, keyring: KEYRING, spi: { audit: section } }
  const cwd = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
  const run = (line: string, given: Given = {}) => command(line.split(' '), { cwd, ...given })
  return { state, run, cwd, config: config as AuthStateConfig }
}

const linesIn = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describeWith(redis, 'the audit of a deployment on Redis', () => {
  test('what the command does is written, and shown by tail and export', async () => {
    const { run } = await deployed()
    expect((await run('audit tail')).err).toContain('no lines')
    expect((await run('sessions end acme --user ada --yes')).code).toBe(0)
    expect((await run('failures clear acme --user ada')).code).toBe(5)
    const { code, out } = await run('audit tail')
    expect(code).toBe(0)
    expect(out.split('\n')[0]).toMatch(/^AT +EVENT +REALM +WHO +RESULT +RECORDS$/)
    expect(out).toMatch(/sessions\.end +acme +tester \(command\) +done 1 +user a\./)
    expect(out).toMatch(/failures\.clear +acme +tester \(command\) +nothing 0/)
    expect(out).not.toContain('ada')
    const exported = await run('audit export')
    expect(linesIn(exported.out).map(({ event, outcome }) => `${event} ${outcome}`)).toEqual([
      'sessions.end begun',
      'sessions.end done',
      'failures.clear begun',
      'failures.clear nothing',
    ])
    expect(JSON.parse((await run('audit export --json --only actions')).out).items).toHaveLength(4)
    expect(linesIn((await run('audit tail --jsonl -n 1')).out)).toMatchObject([{ outcome: 'nothing' }])
    expect((await run('audit export --only trail')).out).toBe('')
    expect(linesIn((await run('audit export --realm acme --user ada --event sessions')).out)).toHaveLength(2)
    expect((await run('audit export --realm other')).out).toBe('')
    expect((await run('audit export --since 1h')).err).toContain('4 lines')
    expect((await run('audit export --since 2099-01-01T00:00:00Z')).err).toContain('0 lines')
  })

  test('who follows sees what comes, until Ctrl-C', async () => {
    const { run, state } = await deployed()
    await run('sessions end acme --user bob --yes')
    const stop = new AbortController()
    let seen = ''
    const following = run('audit tail --follow --jsonl', {
      interrupted: stop.signal,
      onOutput: (text) => {
        seen += text
        // The last lines are shown: what is written from now on has to come.
        if (seen.split('\n').length === 3) void run('cache clear')
        if (seen.includes('caches.clear') && seen.includes('"done"')) stop.abort()
      },
    })
    const { code, err } = await following
    expect(code).toBe(130)
    expect(err).toMatch(/\d lines shown/)
    expect(linesIn(seen).map(({ event }) => event)).toContain('caches.clear')
    expect(state.describe().spis['audit']?.selected).toBe('redis')
  })

  test('a folder of files is read without Redis, and by who may not write', async () => {
    const folder = await folderWith({})
    const directory = join(folder, 'lines')
    const { run } = await deployed({ provider: 'file', directory })
    expect((await run('sessions end acme --user ada --yes')).code).toBe(0)
    expect(linesIn((await run('audit export')).out)).toHaveLength(2)
    writeFileSync(join(folder, 'file'), '')
    const refused = await deployed({ provider: 'file', directory: join(folder, 'file') })
    const { code, err } = await refused.run('sessions end acme --user ada --yes')
    expect([code, err]).toEqual([
      3,
      expect.stringContaining('audit.directory: the folder cannot be written to'),
    ])
    expect(await refused.state.userSessions.count('acme')).toBe(1)
  })

  test.each([
    [{ provider: 'rediss' }, 'audit tail', 3, "Did you mean 'redis'"],
    [{ provider: 'redis', keepMss: 1 }, 'audit tail', 3, "Did you mean 'keepMs'"],
    [{ provider: 'memory' }, 'audit tail', 3, 'it is kept in memory'],
    [{ provider: 'redis' }, 'audit tial', 3, 'tail'],
    [{ provider: 'redis' }, 'audit tail --relm acme', 3, '--realm'],
    [{ provider: 'redis' }, 'audit tail --only people', 3, 'actions, trail'],
    [{ provider: 'redis' }, 'audit tail --since soon', 2, '--since'],
    [{ provider: 'redis' }, 'audit tail --user ada', 2, '--realm'],
    [{ provider: 'redis' }, 'audit tail --follow --json', 2, '--jsonl'],
    [{ provider: 'redis' }, 'audit tail --lines 2000', 2, '--lines'],
  ])('%j, %s ends with %i', async (section, line, code, said) => {
    const config = {
      provider: 'redis',
      redis: { url: redisUrl() },
      keyring: KEYRING,
      spi: { audit: section },
    }
    const cwd = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
    const answer = await command(line.split(' '), { cwd })
    expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(said)])
  })
})

test('without an audit there is nothing to show, and with Redis away it says so', async () => {
  const none = await folderWith({ 'authstate.config.json': JSON.stringify({ keyring: KEYRING }) })
  expect(await command(['audit', 'tail'], { cwd: none })).toMatchObject({
    code: 3,
    err: expect.stringContaining('audit: it has no provider'),
  })
  const config = {
    provider: 'redis',
    redis: { url: 'redis://127.0.0.1:1', connectTimeoutMs: 300 },
    keyring: KEYRING,
    spi: { audit: { provider: 'redis' } },
  }
  const away = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
  expect((await command(['audit', 'tail'], { cwd: away })).code).toBe(4)
})
