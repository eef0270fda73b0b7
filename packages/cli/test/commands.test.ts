import { randomUUID } from 'node:crypto'
import { type AuthState, createAuthState } from 'authstate'
import { examinationSchema } from 'authstate/redis/doctor'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { TcpProxy } from '../../../tools/testing/tcp-proxy.js'
import { command, folderWith, type Given } from './support.js'

const KEYRING = { current: 'a', keys: { a: 'a secret of these tests, 32 bytes or more' } }

/** A deployment with two users, and the command beside it. */
async function deployed(withKeyring = true) {
  const redisSection = { url: redisUrl(), prefix: `cli-${randomUUID()}` }
  const realms = () => ({ bruteForce: { enabled: true, failureFactor: 3, waitIncrementMs: 60_000 } })
  const state = await createAuthState({ provider: 'redis', redis: redisSection, keyring: KEYRING, realms })
  onTestFinished(async () => {
    await state.removeRealm('acme')
    await state.close()
  })
  const acme = state.realm('acme')
  for (const userId of ['ada', 'bob']) {
    for (const clientId of ['portal', 'mail']) {
      await acme.userSessions.create({ userId, loginUsername: userId, client: { clientId } })
    }
    await acme.webSessions.save(`web-session-of-${userId}`, { data: {}, userId, lifespanMs: 60_000 })
  }
  const config = { provider: 'redis', redis: redisSection, ...(withKeyring && { keyring: KEYRING }) }
  const cwd = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
  const run = (line: string, given: Given = {}) => command(line.split(' '), { cwd, ...given })
  return { state, acme, run }
}

const alive = async (state: AuthState) =>
  (await state.userSessions.count('acme')) + (await state.webSessions.count('acme'))

describeWith(redis, 'a deployment on Redis', () => {
  test('sessions are listed, shown and ended by reference', async () => {
    const { run, state } = await deployed()
    const table = await run('sessions list acme')
    expect(table.code).toBe(0)
    expect(table.out.split('\n')[0]).toMatch(/^KIND +USER +STARTED +LAST SEEN +EXPIRES +CLIENTS +REFERENCE$/)
    expect(table.out.match(/^(online|web)/gm)).toHaveLength(6)
    const { items } = JSON.parse((await run('sessions list acme --user ada --json')).out)
    expect(items).toHaveLength(3)
    const [first] = items
    const shown = await run(`sessions show acme ${first.reference}`)
    expect(shown.out).toMatch(/user +ada/)
    const ended = await run(`sessions end acme --ref ${first.reference} --yes`)
    expect([ended.code, ended.out]).toEqual([0, '1 session ended\n'])
    expect(await alive(state)).toBe(5)
    const again = await run(`sessions end acme --ref ${first.reference} --yes`)
    expect([again.code, again.out]).toEqual([5, '0 sessions ended, 1 reference without a living session\n'])
    expect((await run(`sessions show acme ${first.reference}`)).code).toBe(5)
    expect((await run('sessions show acme forged.reference')).code).toBe(5)
  })

  test('a user is signed out but for one session', async () => {
    const { run, state, acme } = await deployed()
    const { items } = JSON.parse((await run('sessions list acme --user ada --kind online --json')).out)
    const dry = await run(`sessions end acme --user ada --except ${items[0].reference} --dry-run`)
    expect([dry.code, dry.out, await alive(state)]).toEqual([0, 'would end 2 sessions\n', 6])
    const { code, out } = await run(`sessions end acme --user ada --except ${items[0].reference} --yes`)
    expect([code, out]).toEqual([0, '2 sessions ended\n'])
    expect((await acme.userSessions.listByUser('ada')).items).toHaveLength(1)
    expect((await acme.userSessions.listByUser('bob')).items).toHaveLength(2)
  })

  test('pages, lines and counts are for programs', async () => {
    const { run } = await deployed()
    const first = await run('sessions list acme --limit 4 --jsonl')
    expect(
      first.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).kind),
    ).toEqual(Array(4).fill('online'))
    const cursor = /--cursor (\S+)/.exec(first.err)?.[1]
    const second = await run(`sessions list acme --limit 4 --jsonl --cursor ${cursor}`)
    expect(second.out.trim().split('\n')).toHaveLength(2)
    expect((await run('sessions list acme --limit 1 --all --jsonl')).out.trim().split('\n')).toHaveLength(6)
    expect(JSON.parse((await run('sessions count acme --json')).out)).toEqual({
      online: 4,
      offline: 0,
      web: 2,
      logins: 0,
    })
    expect((await run('sessions count acme --by-client')).out).toMatch(/mail +2 +0\nportal +2 +0/)
  })

  test('what is wide asks for the name of the realm on a terminal, and for --yes elsewhere', async () => {
    const { run, state } = await deployed()
    for (const line of [
      'sessions end acme --all',
      'sessions end acme --client mail',
      'sessions end acme --user ada',
    ]) {
      const { code, err } = await run(line)
      expect([line, code]).toEqual([line, 6])
      expect(err).toContain('--yes')
    }
    const wrong = await run('sessions end acme --all', { answer: 'acm' })
    expect([wrong.code, wrong.questions.length]).toEqual([6, 1])
    expect((await run('sessions end acme --user ada', { answer: 'n' })).code).toBe(6)
    expect(await alive(state)).toBe(6)
    expect((await run('sessions end acme --user ada', { answer: 'y' })).out).toBe('3 sessions ended\n')
    expect((await run('sessions end acme --all', { answer: 'acme' })).out).toBe('3 sessions ended\n')
    expect(await alive(state)).toBe(0)
    expect((await run('sessions end acme --all --yes')).code).toBe(5)
  })

  test('without a keyring sessions are listed and cannot be named', async () => {
    const { run, state } = await deployed(false)
    const { code, out, err } = await run('sessions list acme')
    expect([code, out.match(/^(online|web)/gm)?.length]).toEqual([0, 6])
    expect(err).toContain('no references')
    const refused = await run('sessions end acme --ref a.b --yes')
    expect([refused.code, await alive(state)]).toEqual([3, 6])
    expect(refused.err).toContain('keyring')
  })

  test('an interruption says that the rest lives', async () => {
    const { run } = await deployed()
    const { code, err } = await run('sessions end acme --all --yes', { interrupted: AbortSignal.abort() })
    expect(code).toBe(130)
    expect(err).toContain('the command can be run again')
  })

  test('an interruption ends the waiting, whatever the store is doing', async () => {
    const { run, state } = await deployed()
    const interruption = new AbortController()
    const before = await alive(state)
    const given = { interrupted: interruption.signal }
    const ending = run('sessions end acme --all --yes', given)
    interruption.abort()
    expect((await ending).code).toBe(130)
    // Some may have ended by then: it is safe to run again.
    expect(await alive(state)).toBeLessThanOrEqual(before)
    expect((await run('sessions end acme --all --yes')).code).toBeLessThanOrEqual(5)
    expect(await alive(state)).toBe(0)
  })

  test('an interruption in the middle says what had ended and what was left', async () => {
    const redisSection = { url: redisUrl(), prefix: `cli-${randomUUID()}`, partitions: 1 }
    const state = await createAuthState({ provider: 'redis', redis: redisSection })
    onTestFinished(async () => {
      await state.removeRealm('acme')
      await state.close()
    })
    const acme = state.realm('acme')
    await Promise.all(
      Array.from({ length: 600 }, (_, n) =>
        acme.userSessions.create({ userId: `u${n}`, loginUsername: 'x' }),
      ),
    )
    // Answers take their time, so that there is a middle.
    const proxy = await TcpProxy.start(Number(new URL(redisUrl()).port), { down: 50 })
    onTestFinished(() => proxy.stop())
    const url = `redis://127.0.0.1:${proxy.port}`
    const config = { provider: 'redis', redis: { ...redisSection, url } }
    const cwd = await folderWith({ 'authstate.config.json': JSON.stringify(config) })
    const interruption = new AbortController()
    const ending = command('sessions end acme --all --yes'.split(' '), {
      cwd,
      interrupted: interruption.signal,
    })
    await expect.poll(() => acme.userSessions.count(), { interval: 5, timeout: 20_000 }).toBeLessThan(600)
    interruption.abort()
    const { code, err } = await ending
    const [, ended, all, left] =
      /interrupted: (\d+) of (\d+) sessions had ended, (\d+) were left\. /.exec(err) ?? []
    expect([code, Number(all), Number(ended) + Number(left)]).toEqual([130, 600, 600])
    expect(Number(ended)).toBeGreaterThan(0)
    expect(await acme.userSessions.count()).toBeLessThanOrEqual(Number(left))
  })

  test('--url says where, whatever the variables and the file say', async () => {
    const { run } = await deployed()
    const url = redisUrl()
    const env = { AUTHSTATE_PROVIDER: 'memory', AUTHSTATE_REDIS__URL: 'redis://127.0.0.1:1' }
    const { code, out } = await run(`sessions count acme --url ${url}`, { env })
    expect([code, out]).toEqual([0, 'online 4, offline 0, web 2; logins under way 0\n'])
  })

  test('what a command does not need is not started, whatever variables say of it', async () => {
    const { run, state } = await deployed()
    const env = {
      AUTHSTATE_SPI__CLUSTER: '{"provider":"redis"}',
      AUTHSTATE_REALM_CACHE__PROVIDER: 'redis',
      AUTHSTATE_SPI__STICKYSESSIONENCODER__PROVIDER: 'redis',
    }
    const joined: string[] = []
    const stop = state.cluster.onViewChange((_, change) =>
      joined.push(...change.joined.map(({ name }) => name)),
    )
    expect((await run('sessions count acme', { env })).code).toBe(0)
    await state.cluster.refresh()
    stop()
    expect(joined).toEqual([])
  })

  test('web sessions in memory are left out, and that is said', async () => {
    const { run } = await deployed()
    const env = { AUTHSTATE_WEB_SESSION__PROVIDER: 'memory' }
    const { code, out, err } = await run('sessions count acme', { env })
    expect([code, out]).toEqual([0, 'online 4, offline 0, web 0; logins under way 0\n'])
    expect(err).toContain('left out, as only its own process can see it: web-session')
    const none = await run('failures show acme --user ada', {
      env: { AUTHSTATE_LOGIN_FAILURE__ENABLED: 'false' },
    })
    expect([none.code, none.err]).toEqual([3, expect.stringContaining('login-failure: it has no provider')])
  })

  test('a lock-out is explained and ended', async () => {
    const { run, acme } = await deployed()
    for (let n = 0; n < 3; n++)
      await acme.loginFailures.recordFailure('ada', { at: Date.now() - 10_000 + n * 2_000 })
    const { code, out } = await run('failures show acme --user ada')
    expect(code).toBe(0)
    expect(out).toMatch(/3 failures/)
    const listed = await run('failures locked acme')
    expect([listed.code, listed.out.split('\n')[1]]).toEqual([
      0,
      expect.stringMatching(/^user +ada +20.*failures +3/),
    ])
    // A file says nothing of realms, so nobody knows how many attempts are left.
    expect(listed.err).toContain('locks are shown as they were set')
    expect(out).not.toContain('attempts')
    const { items } = JSON.parse((await run('failures locked acme --json')).out)
    expect(items).toMatchObject([{ subject: { userId: 'ada' }, permanent: false }])
    expect((await run('failures clear acme --user ada')).out).toBe('1 record cleared\n')
    expect((await run('failures locked acme')).err).toContain('no user is locked out')
    expect((await run('failures clear acme --user ada')).code).toBe(5)
    expect((await run('failures clear acme --all')).code).toBe(6)
    expect((await run('failures clear acme')).code).toBe(2)
    expect((await run('failures show acme --ip 203.0.113.7')).code).toBe(5)
  })

  test('tokens, caches and nodes', async () => {
    const { run, acme, state } = await deployed()
    await acme.actionTokens.put('code', 'one', { lifespanMs: 60_000, family: 'grant' })
    expect((await run('tokens revoke-family acme grant')).code).toBe(6)
    expect((await run('tokens revoke-family acme grant --yes')).out).toContain('1 token withdrawn')
    await acme.actionTokens.put('link', 'secret-key', { lifespanMs: 60_000, subject: 'ada' })
    await acme.actionTokens.put('link', 'other-key', { lifespanMs: 60_000, subject: 'ada' })
    const listed = await run('tokens list acme --subject ada')
    expect([listed.code, listed.out.match(/^link +in 5\d s +no +no +/gm)?.length]).toEqual([0, 2])
    expect(listed.out).not.toContain('-key')
    const { items } = JSON.parse((await run('tokens list acme --subject ada --json')).out)
    expect((await run(`tokens remove acme --ref ${items[0].reference}`)).code).toBe(6)
    const removed = await run(`tokens remove acme --ref ${items[0].reference} a.b --yes`)
    expect([removed.code, removed.out]).toEqual([
      0,
      '1 token withdrawn, 1 reference without a living token\n',
    ])
    expect((await run('tokens remove acme --subject ada --yes')).out).toBe('1 token withdrawn\n')
    expect((await run('tokens remove acme --subject ada --yes')).code).toBe(5)
    expect((await run('tokens remove acme --yes')).code).toBe(2)
    const region = state.realmCache.region('users')
    await region.get('ada', () => 1)
    const figures = await run('cache stats')
    expect([figures.code, figures.out]).toEqual([0, expect.stringMatching(/ users +1 +0 +1 +0 %/)])
    const cleared = await run('cache clear --region users')
    expect([cleared.code, cleared.out]).toEqual([0, 'the region is emptied; 1 node notified\n'])
    await expect.poll(() => region.stats().size).toBe(0)
    const { nodes } = JSON.parse((await run('cluster nodes --json')).out)
    expect(nodes.map(({ name }: { name: string }) => name)).toEqual([state.cluster.node.name])
  })

  test('health says of each service whether it can serve', async () => {
    const { run } = await deployed()
    const { code, out } = await run('health')
    expect([code, out.match(/^ok +(user-session|login-failure) /gm)?.length]).toEqual([0, 2])
  })

  test('doctor examines the deployment of the configuration', async () => {
    const { run } = await deployed()
    const { code, out } = await run('doctor')
    expect(out).toMatch(/^redis [\d.]+ standalone/)
    expect(out).toMatch(/\d+ fail, \d+ warn, \d+ unknown, \d+ ok\n$/)
    const examined = await run('doctor --json')
    expect(Object.keys(JSON.parse(examined.out)).sort()).toEqual([...examinationSchema.required].sort())
    expect(code).toBe(JSON.parse(examined.out).summary.fail > 0 ? 1 : 0)
    expect((await run('doctor --strict')).code).toBe(1)
    const misspelt = await run('doctor --spi user-sessions')
    expect([misspelt.code, misspelt.err]).toEqual([3, expect.stringContaining('user-session')])
  })

  test('hostile names stay on one line', async () => {
    const { run, acme } = await deployed()
    const userId = 'eve\u001b[31m\r\nonline  ada\u202e'
    await acme.userSessions.create({ userId, loginUsername: userId })
    const { out } = await run('sessions list acme --kind online')
    expect(out).toContain('eve?[31m??online  ada?')
    expect(out.trimEnd().split('\n')).toHaveLength(6)
  })
})

test.each([
  ['sessions end acme --all', 6],
  ['sessions end acme --yes', 2],
  ['sessions end acme --user a --all --yes', 2],
  ['sessions end acme --all --except a.b --yes', 2],
  ['sessions list acme --kind onlin', 3],
  ['sessions list acme --limit many', 2],
  ['sessions list', 2],
  ['sessions lst acme', 3],
  ['sessions list acme --jsn', 3],
  ['sessions list acme', 3],
  ['doctor --url redis://:secret@127.0.0.1:1', 2],
  ['doctor', 3],
  ['doctor --url redis://127.0.0.1:1', 4],
  ['health --url redis://127.0.0.1:1', 4],
  ['sessions list acme --url redis://127.0.0.1:1', 4],
  ['completion tcsh', 3],
  ['--version', 0],
  ['--help', 0],
  ['sessions --help', 0],
])('%s ends with %i where nothing is configured', async (line, expected) => {
  const { code, out, err } = await command(line.split(' '))
  expect([line, code]).toEqual([line, expected])
  expect(expected === 0 ? out : err).not.toBe('')
  expect(out + err).not.toContain('secret')
})

test('doctor says how to name a Redis where none is configured', async () => {
  const { err } = await command(['doctor'])
  expect(err).toMatch(/nothing here is on Redis\. .* or give --url/)
})

test('state in memory is said to be out of reach', async () => {
  const { code, err } = await command(['sessions', 'list', 'acme'])
  expect(code).toBe(3)
  expect(err).toContain('only its own process can see it')
})

test('colours are for terminals, and not with NO_COLOR', async () => {
  const line = ['config', 'explain', 'user-session']
  expect((await command(line)).out).not.toContain('\u001b')
  expect((await command(line, { isTerminal: true })).out).toContain('\u001b[1m')
  expect((await command(line, { isTerminal: true, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b')
})

test('completions name every command', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await command(['completion', shell])
    expect([shell, code]).toEqual([shell, 0])
    for (const word of ['doctor', 'sessions', 'set-provider', 'dry-run']) expect(out).toContain(word)
  }
})
