import { randomInt } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { MemoryStore } from '../src/memory-store.js'
import { type Policy, policyText } from '../src/policy.js'
import { attemptsLeft, type FailureState, NO_FAILURES, usualStep } from '../src/rules.js'
import * as scripts from '../src/scripts.js'
import type { Subject } from '../src/store.js'

/** `POLICY_RUNS` says otherwise. */
const HISTORIES = Number(process.env['POLICY_RUNS'] ?? 5_000)
const PER_CALL = 250

type Event =
  | ['f', now: string, at: string, ip: string, secondary: string, layout: string]
  | ['s', now: string, secondary: string]
  | ['c', now: string]

interface History {
  readonly policy: Policy
  readonly events: readonly Event[]
  /** When an attempt is reserved at the end, and whether it is one of a second factor. */
  readonly endsAt: number
  readonly secondary: boolean
  readonly lastIsLeft: boolean
  /** It is the history of nobody. */
  readonly decoy: boolean
}

/**
 * Runs whole histories within Redis, through the very sources of the scripts. At the end of each history it reserves an
 * attempt while so many others are reserved that the last one is left, or none.
 */
const REPLAY = `
local function load(source) return loadstring('local KEYS, ARGV = ...\\n' .. source) end
local fail, succeed, clear, reserve = load(ARGV[1]), load(ARGV[2]), load(ARGV[3]), load(ARGV[4])
local record, realm, attempts, locked = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local replies = {}
for _, history in ipairs(cjson.decode(ARGV[5])) do
  redis.call('DEL', record, realm, attempts, locked)
  local policy, out = history.policy, {}
  local function with(args)
    for _, value in ipairs(policy) do args[#args + 1] = value end
    return args
  end
  for index, event in ipairs(history.events) do
    if event[1] == 'f' then
      local usual = event[3] == event[2] and event[5] == '0' and history.most == '0'
      local seldom = not usual and event[3] .. ' ' .. event[5] .. ' ' .. history.most or nil
      out[index] = fail({ record }, { event[2], event[4], '', history.text, event[6], seldom })
    elseif event[1] == 's' then
      out[index] = succeed({ record, realm, attempts, locked }, { event[2], '', event[3], 'lf:r:u', policy[1], policy[2] })
    else
      out[index] = clear({ record, realm, locked }, { event[2], 'lf:r:u' })
    end
  end
  for other = 1, history.others do redis.call('ZADD', attempts, 9e15, 'other' .. other) end
  out[#history.events + 1] =
    reserve({ record, attempts }, with({ history.endsAt, history.endsAt, 'mine', '1000', history.secondary }))
  replies[#replies + 1] = out
end
return replies
`

describeWith(redis, 'the Lua and the TypeScript policy', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  test(`agree on ${HISTORIES} random histories`, { timeout: 7_200_000 }, async () => {
    const seed = randomInt(2 ** 31)
    const random = mulberry32(seed)
    const seen = { permanent: 0, temporary: 0, quick: 0, refused: 0, secondary: 0, expired: 0, usual: 0 }
    const keys = ['lf:r:u', 'lr:r', 'lg:r:u', 'll:r'].map((name) => `agreement-${process.pid}-{00}:${name}`)
    for (let start = 0; start < HISTORIES; start += PER_CALL) {
      const histories = Array.from({ length: PER_CALL }, () => history(random))
      const expected = await Promise.all(histories.map((item) => play(item, seen)))
      const sent = histories.map((item, index) => encode(item, (expected[index] as Played).others))

      const replies = (await client.eval(
        REPLAY,
        4,
        ...keys,
        scripts.recordFailure.lua,
        scripts.recordSuccess.lua,
        scripts.clear.lua,
        scripts.reserve.lua,
        JSON.stringify(sent),
      )) as unknown[][]
      replies.forEach((reply, index) => {
        const { events, policy } = histories[index] as History
        seen.usual += reply.filter((item, n) => events[n]?.[0] === 'f' && typeof item === 'number').length
        const decoded = reply.map((item, n) => decode(events[n], policy, item))
        const { results } = expected[index] as Played
        if (decoded.join() !== results.join()) {
          expect(decoded, `seed ${seed}, ${JSON.stringify(histories[index])}`).toEqual(results)
        }
      })
    }
    await client.unlink(...keys)
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(HISTORIES / 500)
  })
})

interface Played {
  readonly results: readonly string[]
  readonly others: number
}

/** What the store in memory, which uses the functions of rules.ts, makes of a history. */
async function play(
  { policy, events, endsAt, secondary, lastIsLeft, decoy }: History,
  seen: Record<string, number>,
): Promise<Played> {
  const store = new MemoryStore()
  const subject: Subject = { realmId: 'r', rule: 'user', id: 'u', ...(decoy && { decoy }) }
  const results: string[] = []
  for (const event of events) {
    const now = Number(event[1])
    if (event[0] === 'f') {
      const [, , at, ip, second] = event
      const step = await store.fail(subject, policy, {
        now,
        at: Number(at),
        ip,
        secondary: second === '1',
        attempt: '',
      })
      results.push(text(step))
      note(seen, step.newLock)
      if (step.newLock !== '' && step.state.reason === 'quick-login') note(seen, 'quick')
      if (step.state.reason === 'secondary-auth-failures') note(seen, 'secondary')
      if (!step.counted) note(seen, 'refused')
    } else if (event[0] === 's') {
      results.push(
        text(await store.succeed(subject, policy, { now, attempt: '', secondary: event[2] === '1' })),
      )
    } else {
      results.push(text(await store.remove(subject, now)))
    }
  }
  const state = await store.load(subject, endsAt)
  if (state === undefined && events.at(-1)?.[0] === 'f') note(seen, 'expired')
  const left = attemptsLeft(state ?? NO_FAILURES, policy, endsAt, secondary)
  const endless = left === Number.POSITIVE_INFINITY
  if (left === 0) results.push(text({ outcome: 'locked', state }))
  else results.push(text({ outcome: lastIsLeft || endless ? 'reserved' : 'busy' }))
  return { results, others: endless ? 3 : Math.max(0, lastIsLeft ? left - 1 : left) }
}

function decode(event: Event | undefined, policy: Policy, reply: unknown): string {
  if (event?.[0] === 'f') {
    const step = scripts.recordFailure.decode(reply)
    const [, , at, ip] = event
    return text(typeof step === 'number' ? usualStep(step, policy, { at: Number(at), ip }) : step)
  }
  const script = { s: scripts.recordSuccess, c: scripts.clear }
  return text((event === undefined ? scripts.reserve : script[event[0]]).decode(reply))
}

function encode({ policy, events, endsAt, secondary, decoy }: History, others: number) {
  const { strategy: _, permanentLockout, ...numbers } = policy
  const inOrder = scripts.reserve.args.slice(6).map((name) => String(numbers[name as keyof typeof numbers]))
  return {
    policy: [permanentLockout ? '1' : '0', ...inOrder],
    text: policyText(policy),
    most: decoy ? '1024' : '0',
    events,
    endsAt: String(endsAt),
    secondary: secondary ? '1' : '0',
    others,
  }
}

function history(random: () => number): History {
  const below = (most: number) => Math.floor(random() * most)
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T
  const span = () =>
    pick([0, 1, 1_000, 20_000, 60_000, below(200_000), below(200_000), 2 ** 31, Number.MAX_SAFE_INTEGER])
  const policy: Policy = {
    strategy: pick(['LINEAR', 'MULTIPLE']),
    permanentLockout: random() < 0.4,
    maxTemporaryLockouts: below(3),
    failureFactor: pick([1, 2, 2, 3, 5, 30]),
    waitIncrementMs: span(),
    quickLoginCheckMs: random() < 0.5 ? 0 : span(),
    minimumQuickLoginWaitMs: span(),
    maxFailureWaitMs: span(),
    maxDeltaTimeMs: span(),
    maxSecondaryAuthFailures: below(3),
  }
  const edges = [
    policy.quickLoginCheckMs,
    policy.waitIncrementMs,
    policy.maxFailureWaitMs,
    policy.maxDeltaTimeMs,
  ]
  const step = () => {
    const kind = random()
    if (kind < 0.05) return -below(5_000)
    if (kind < 0.35) return below(2_000)
    if (kind < 0.6) return below(200_000)
    return Math.min(pick(edges), 1e9) + below(3) - 1
  }
  const layout1 = pick([0, 0.5, 1])
  let now = 1_000_000_000 + below(1e9)
  const events = Array.from({ length: 1 + below(6) }, (): Event => {
    now += step()
    const kind = random()
    if (kind < 0.06) return ['s', String(now), pick(['0', '1'])]
    if (kind < 0.1) return ['c', String(now)]
    const at = random() < 0.85 ? now : now - below(100_000)
    const ip = pick(['', '', '203.0.113.7', '::1'])
    // As while a deployment goes over from one layout to the next: some nodes know of it, others do not yet.
    return ['f', String(now), String(at), ip, pick(['0', '0', '1']), random() < layout1 ? '1' : '2']
  })
  return {
    policy,
    events,
    endsAt: now + (random() < 0.5 ? 0 : step()),
    secondary: random() < 0.3,
    lastIsLeft: random() < 0.5,
    decoy: random() < 0.2,
  }
}

/** A random sequence that a seed repeats. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function note(seen: Record<string, number>, what: string): void {
  if (what !== '') seen[what] = (seen[what] ?? 0) + 1
}

/** What of an answer must be equal, in an order of its own. */
function text(answer: unknown): string {
  const { state, before, ...rest } = (answer ?? {}) as Record<string, unknown> & {
    state?: FailureState
    before?: FailureState
  }
  const { outcome, counted, newLock } = rest
  const shown = state ?? before ?? (isState(rest) ? rest : undefined)
  return `${outcome} ${counted} ${newLock} ${shown && FIELDS.map((name) => shown[name])}`
}

const FIELDS = Object.keys(NO_FAILURES) as (keyof FailureState)[]
const isState = (value: object): value is FailureState => 'numFailures' in value
