// Several processes on one deployment that is cut, stalled, flushed and failed over; then what they saw is checked.
// Longer, or again: npm run soak -- --minutes 30 --seed 7
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuthState } from '../packages/authstate/src/index.js'
import { StoreUnavailableError } from '../packages/spi/src/index.js'
import { start } from '../tools/servers/topology.mjs'
import { describeWith, hostClock } from '../tools/testing/capabilities.js'
import { type Child, startChild } from '../tools/testing/child.js'
import { HostClock } from '../tools/testing/host-clock.js'
import { type FinalState, violations } from './soak/checker.js'
import { Disturber } from './soak/disturber.js'
import { type Entry, readHistory } from './soak/history.js'
import { COMMAND_TIMEOUT_MS, configFor, MAX_SILENCE_MS, type Task, USERS } from './soak/node.js'

const SECONDS = Number(process.env['AUTHSTATE_SOAK_SECONDS'] ?? 12)
const SEED = Number(process.env['AUTHSTATE_SOAK_SEED'] ?? Date.now() % 1_000_000)
/** What a message may take on a machine that does a lot else, besides the bound. */
const STALE_AFTER_MS = MAX_SILENCE_MS + 1_000
const program = fileURLToPath(new URL('./soak/worker.ts', import.meta.url))
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describeWith(hostClock, 'a soak', () => {
  test(`nothing comes back, is lost, redeemed twice or stale (seed ${SEED})`, {
    timeout: (SECONDS + 600) * 1_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'authstate-soak-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    // Neither the hosts of the nodes nor the servers agree on the time.
    const servers = [0, 2_000, -2_000].map((aheadMs) => new HostClock(aheadMs))
    const hosts = [-5_000, 70_000, 3_600_000].map((aheadMs) => new HostClock(aheadMs))
    const [topology, source] = await Promise.all([
      start('sentinel', { env: (n) => servers[n]?.env ?? {} }),
      start('single'),
    ])
    onTestFinished(async () => {
      await Promise.all([topology.stop(), source.stop()])
    })
    let random = SEED
    const below = (n: number) => {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((random / 2 ** 32) * n)
    }
    const about = { sentinels: topology.sentinels, name: topology.name, prefix: 'soak' }
    let spawned = 0
    const open = (number: number): Child => {
      const node = `n${number}`
      spawned += 1
      const history = join(folder, `${node}-${spawned}.jsonl`)
      const task: Task = {
        ...about,
        node: `${node}x${spawned}`,
        seed: SEED + spawned,
        source: source.basePort,
        history,
      }
      return startChild(program, [JSON.stringify(task)], { env: { ...process.env, ...hosts[number]?.env } })
    }
    const workers = [0, 1, 2].map(open)
    const ready = () => Promise.all(workers.map((item) => item.said('ready')))

    const disturber = new Disturber(topology, hosts)
    const ways = [
      () => disturber.cutConnections(),
      () => disturber.flushScripts(),
      () => disturber.stall(),
      () => disturber.silenceReplica(),
      () => disturber.fillUp(),
      () => disturber.setHostClock(below),
      async () => {
        const n = below(workers.length)
        workers[n]?.signal('SIGKILL')
        workers[n] = open(n)
      },
    ]
    const happened = () => readdirSync(folder).flatMap((file) => readHistory(join(folder, file)))
    await ready()
    const end = performance.now() + SECONDS * 1_000
    await sleep(1_000)
    // Each once, then whatever comes, for as long as was asked and until enough has happened on a slow machine.
    const rare = [() => disturber.failOver(), () => disturber.freeze(2 * COMMAND_TIMEOUT_MS)]
    const cycle = ways.length + rare.length
    for (let turn = 0; turn < cycle || performance.now() < end || !isEnough(happened()); turn++) {
      if (turn % cycle >= ways.length) await rare[(turn % cycle) - ways.length]?.()
      else await ways[turn < ways.length ? turn : below(ways.length)]?.()
      await sleep(200 + below(600))
    }
    await sleep(2_000)
    // One that still starts would be killed by the signal, and could not end in order.
    await ready()
    for (const item of workers) item.signal('SIGTERM')
    const ended = await Promise.allSettled(workers.map((item) => item.finished()))

    const history = happened()
    const final = await look(history, about)
    const found = violations(history, final, STALE_AFTER_MS)
    const kinds = kindsOf(history)
    console.info(`soak, seed ${SEED}: ${JSON.stringify({ ...Object.fromEntries(kinds), ...disturber.done })}`)
    expect(found.slice(0, 20)).toEqual([])
    expect(await leftBehind(about)).toEqual([])
    expect(ended.flatMap((item) => (item.status === 'rejected' ? [String(item.reason)] : []))).toEqual([])
    expect(isEnough(history)).toBe(true)
    expect(Object.keys(disturber.done)).toHaveLength(8)
    expect(spawned).toBeGreaterThan(3)
  })
})

function kindsOf(history: readonly Entry[]): Map<Entry['type'], number> {
  const kinds = new Map<Entry['type'], number>()
  for (const { type } of history) kinds.set(type, (kinds.get(type) ?? 0) + 1)
  return kinds
}

/** Whether a history has enough of everything to say something. */
function isEnough(history: readonly Entry[]): boolean {
  const kinds = kindsOf(history)
  const all = ['create', 'remove', 'sign-out', 'look', 'put', 'consume', 'fail', 'write', 'read'] as const
  return all.every((type) => (kinds.get(type) ?? 0) > 20)
}

/** What is there when everybody has stopped. */
async function look(
  history: readonly Entry[],
  about: Pick<Task, 'sentinels' | 'name' | 'prefix'>,
): Promise<FinalState> {
  const state = await createAuthState(configFor({ ...about, node: 'last' }))
  try {
    const { userSessions, loginFailures } = state
    const users = Array.from({ length: USERS }, (_, n) => `user-${n}`)
    const listed = new Set<string>()
    for (const userId of users) {
      let cursor: string | undefined
      do {
        const page = await userSessions.listByUser('realm', userId, { limit: 100, ...(cursor && { cursor }) })
        for (const { id } of page.items) listed.add(id)
        cursor = page.cursor
      } while (cursor !== undefined)
    }
    const made = history.flatMap((item) => (item.type === 'create' ? [item.id] : []))
    const alive = new Set<string>()
    for (const id of new Set([...made, ...listed])) {
      if ((await userSessions.get('realm', id)) !== undefined) alive.add(id)
    }
    const failures = new Map<string, number>()
    for (const userId of users) {
      failures.set(userId, (await loginFailures.get('realm', userId))?.numFailures ?? 0)
    }
    return { alive, listed, count: await userSessions.count('realm'), failures }
  } finally {
    await state.close()
  }
}

/** Fences, marks of what was ended, and what a TTL takes away: `ux` and `uk` name realms and clients, `ul` and the cluster's kinds nodes. */
const KEPT_BY_TIME = /^(u[efxkl]|of|a[xv]|c[mesk])$/
/** Of the deployment, whatever realms it has. */
const KEPT_FOR_EVER = /^(layout|clock|c[lf])$/

/** Keys that the removal of a realm leaves in Redis and should not, or without an end. */
async function leftBehind(about: Pick<Task, 'sentinels' | 'name' | 'prefix'>): Promise<string[]> {
  const state = await createAuthState(configFor({ ...about, node: 'remover' }))
  try {
    await untilDone(() => state.userSessions.removeByRealm('realm'))
    await untilDone(() => state.actionTokens.removeByRealm('realm'))
    await untilDone(() => state.loginFailures.removeByRealm('realm'))
  } finally {
    await state.close()
  }
  const redis = new Redis({ sentinels: [...about.sentinels], name: about.name })
  try {
    const wrong: string[] = []
    for (const key of await redis.keys(`${about.prefix}:*`)) {
      const [, kind = ''] = /^[^:]*:(?:\{\w\w\}:)?([^:]*)/.exec(key) ?? []
      if (KEPT_FOR_EVER.test(kind)) continue
      const ttlMs = await redis.pttl(key)
      if (ttlMs === -1 || !KEPT_BY_TIME.test(kind)) wrong.push(`${key}, ${ttlMs} ms`)
    }
    return wrong
  } finally {
    redis.disconnect()
  }
}

/** Calls what is safe to repeat again while Redis does not answer in time or a replica is late, as a caller would. */
async function untilDone(remove: () => Promise<unknown>): Promise<void> {
  for (let left = 20; ; left--) {
    try {
      await remove()
      return
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || left === 0) throw error
      await sleep(100)
    }
  }
}

describe('the checker of a soak', () => {
  const at = (began: number, ended = began + 1) => ({ began, ended })
  const end = (
    given: Partial<Record<'alive' | 'listed', string[]>> & { count?: number; failures?: object } = {},
  ) => {
    const { alive = [], listed = alive, count = listed.length, failures = {} } = given
    const counted = new Map<string, number>(Object.entries(failures))
    return { alive: new Set(alive), listed: new Set(listed), count, failures: counted } satisfies FinalState
  }
  const made: Entry = { type: 'create', id: 's', ...at(0) }
  const removed: Entry = { type: 'remove', id: 's', ...at(10) }

  test.each<[string, Entry[], FinalState, RegExp]>([
    [
      'a session that comes back',
      [made, removed, { type: 'look', id: 's', isThere: true, ...at(20) }],
      end(),
      /came back/,
    ],
    [
      'a session that a sign-out left',
      [
        { ...made, userId: 'u', authenticated: [0, 1] },
        { type: 'sign-out', userId: 'u', ...at(10) },
      ],
      end({ alive: ['s'] }),
      /is there at the end/,
    ],
    [
      'a login that began before a sign-out and came after it',
      [
        { type: 'sign-out', userId: 'u', ...at(10) },
        { ...made, userId: 'u', authenticated: [0, 1], ...at(20) },
      ],
      end({ alive: ['s'] }),
      /is there at the end/,
    ],
    [
      'a login that began long after a sign-out and was taken for an earlier one',
      [
        { type: 'sign-out', userId: 'u', ...at(10) },
        { ...made, userId: 'u', authenticated: [5_000, 5_001], ...at(5_000) },
      ],
      end(),
      /lost at the end/,
    ],
    [
      'a way out that a full server refuses',
      [{ type: 'error', verb: 'removeByUser', message: 'refused (OOM)', isExpected: true, ...at(0) }],
      end(),
      /refused by a full server/,
    ],
    ['one that is there at the end', [made, removed], end({ alive: ['s'] }), /is there at the end/],
    [
      'one that is lost',
      [made, { type: 'look', id: 's', isThere: false, ...at(5) }],
      end({ alive: ['s'] }),
      /was lost/,
    ],
    ['one that is lost at the end', [made], end(), /lost at the end/],
    ['one whose refused removal took it', [made, { ...removed, failed: 'no' }], end(), /lost at the end/],
    ['one that no listing has', [made], end({ alive: ['s'], listed: [] }), /not listed/],
    ['one that is listed and gone', [made, removed], end({ listed: ['s'] }), /listed and not alive/],
    ['a count that is wrong', [made], end({ alive: ['s'], count: 2 }), /are counted/],
    [
      'a token that is redeemed twice',
      [1, 2].map((n): Entry => ({ type: 'consume', token: 't', outcome: 'consumed', ...at(n) })),
      end(),
      /redeemed 2 times/,
    ],
    [
      'a token that is lost',
      [
        { type: 'put', token: 't', ...at(0) },
        { type: 'consume', token: 't', outcome: 'unknown', ...at(5) },
      ],
      end(),
      /token t was lost/,
    ],
    ['a failure that is lost', [{ type: 'fail', userId: 'u', ...at(0) }], end(), /were confirmed, 0/],
    [
      'a failure that was refused and counted',
      [{ type: 'fail', userId: 'u', failed: 'no', ...at(0) }],
      end({ failures: { u: 1 } }),
      /were tried, 1/,
    ],
    [
      'a value that is stale',
      [
        { type: 'write', key: 'k', version: 2, ...at(0) },
        { type: 'read', key: 'k', version: 1, ...at(2_002) },
      ],
      end(),
      /read as version 1/,
    ],
    [
      'an error of the wrong class',
      [{ type: 'error', verb: 'get', message: 'TypeError', isExpected: false, ...at(0) }],
      end(),
      /wrong class/,
    ],
  ])('finds %s', (_, history, state, message) => {
    const found = violations(history, state, 2_000)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(message)
  })

  test('finds nothing where all is well, whatever failed', () => {
    const unsure: Entry = { type: 'remove', id: 's', failed: 'unknown', ...at(10) }
    const history: Entry[] = [
      made,
      { type: 'look', id: 's', isThere: true, ...at(5) },
      unsure,
      { type: 'look', id: 's', isThere: false, ...at(20) },
      { type: 'put', token: 't', ...at(0) },
      { type: 'consume', token: 't', outcome: 'consumed', ...at(3) },
      { type: 'consume', token: 't', outcome: 'used', ...at(5) },
      { type: 'consume', token: 'u', outcome: 'unknown', ...at(5) },
      { type: 'fail', userId: 'u', ...at(0) },
      { type: 'fail', userId: 'u', failed: 'unknown', ...at(1) },
      { type: 'write', key: 'k', version: 2, ...at(0) },
      { type: 'read', key: 'k', version: 1, ...at(2_000) },
      { type: 'read', key: 'k', version: 2, ...at(2_002) },
    ]
    for (const failures of [{ u: 1 }, { u: 2 }]) {
      for (const alive of [[], ['s']])
        expect(violations(history, end({ alive, failures }), 2_000)).toEqual([])
    }
  })
})
