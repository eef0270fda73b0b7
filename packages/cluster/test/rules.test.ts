import * as v from 'valibot'
import { expect, test } from 'vitest'
import { clusterConfig } from '../src/config.js'
import type { ClusterNode } from '../src/index.js'
import {
  compareIds,
  decodeMember,
  decodeMessage,
  encodeAbandonment,
  encodeMember,
  encodeMessage,
} from '../src/redis/wire.js'
import { changeOf, delivers, describeView, orderView, silenceLimitMs } from '../src/rules.js'

const node = (name: string, site?: string): ClusterNode => ({
  name,
  incarnation: `run-of-${name}`,
  joinedAt: 5,
  ...(site !== undefined && { site }),
})

test('defaults', () => {
  expect(v.parse(clusterConfig, {})).toEqual({
    heartbeatMs: 1_000,
    deadAfterMs: 10_000,
    channelLength: 10_000,
    readWaitMs: 1_000,
    publishTimeoutMs: 5_000,
    maxEventBytes: 65_536,
    maxClockSkewMs: 1_000,
  })
  expect(v.parse(clusterConfig, { heartbeatMs: '2s', deadAfterMs: '1m' })).toMatchObject({
    deadAfterMs: 60_000,
  })
})

test.each([
  { heartbeatMs: 0 },
  { heartbeatMs: 1_000, deadAfterMs: 3_999 },
  { channelLength: 10 },
  { maxClockSkewMs: -1 },
  { beat: 1 },
])('%o is refused', (wrong) => {
  expect(v.safeParse(clusterConfig, wrong).success).toBe(false)
})

// The delivery matrix, B6: who sends, with what, and who of n1 (the sender), n2 (its site) and n3 gets it.
test.each([
  ['all', false, [true, true, true]],
  ['all', true, [false, true, true]],
  ['others', false, [false, true, true]],
  ['site', false, [true, true, false]],
  ['site', true, [false, true, false]],
  ['other-sites', false, [false, false, true]],
  ['other-sites', true, [false, false, true]],
] as const)('B6: scope %s, skipSender %s', (scope, skipSender, expected) => {
  const nodes = [node('n1', 'A'), node('n2', 'A'), node('n3', 'B')] as const
  expect(nodes.map((to) => delivers({ scope, skipSender, sender: nodes[0] }, to))).toEqual(expected)
})

test.each(['all', 'site', 'other-sites'] as const)('B6: a sender without a site, scope %s', (scope) => {
  const nodes = [node('n1'), node('n2', 'A'), node('n3', 'B')] as const
  const who = (skipSender: boolean) =>
    nodes.map((to) => delivers({ scope, skipSender, sender: nodes[0] }, to))
  expect([who(false), who(true)]).toEqual([
    [true, true, true],
    [false, true, true],
  ])
})

test('a view is in order of names and reads as operators know it', () => {
  const view = orderView([node('c'), node('a'), node('b')], 7)
  expect(describeView(view)).toBe('view 7: 3 nodes [a, b, c]')
  expect(describeView(orderView([node('a')], 1))).toBe('view 1: 1 node [a]')
})

test('who is missing without having said good-bye has crashed', () => {
  const [before, after] = [
    orderView([node('a'), node('b'), node('c')], 1),
    orderView([node('a'), node('d')], 2),
  ]
  expect(changeOf(before, after, new Set(['run-of-b']))).toEqual({
    joined: [node('d')],
    left: [node('b')],
    crashed: [node('c')],
  })
  expect(changeOf(before, orderView([...before.nodes], 2), new Set())).toBeUndefined()
})

test('a silent node is gone within deadAfterMs, counted from its last sign', () => {
  const config = v.parse(clusterConfig, { heartbeatMs: 1_000, deadAfterMs: 10_000 })
  const lastSign = 0
  const seenAt = lastSign + config.heartbeatMs
  const looks = Math.ceil(silenceLimitMs(config) / config.heartbeatMs)
  expect(seenAt + looks * config.heartbeatMs).toBeLessThanOrEqual(config.deadAfterMs)
})

test('ids of a stream compare as numbers', () => {
  const ids = ['10-2', '9-30', '10-11', '0-0', '10-2']
  expect(ids.sort(compareIds)).toEqual(['0-0', '9-30', '10-2', '10-2', '10-11'])
})

test('what goes over the wire comes back; what cannot be read is nothing', () => {
  const sender = { ...node('a:{1}', 'paris'), incarnation: '01HF', route: 'r1' }
  const said = { beat: 3, sent: 9, now: 77 }
  expect(decodeMember(`a%3a:${sender.incarnation}`, encodeMember(sender, said))).toEqual({
    node: sender,
    sent: 9,
    now: 77,
    isTold: false,
    reads: 1,
  })
  expect(decodeMember('a:b', encodeMember(sender, { ...said, reads: 2 }))).toMatchObject({ reads: 2 })
  const telling = decodeMember('a:b', encodeMember(sender, { ...said, told: 1 }))
  expect(telling).toMatchObject({ isTold: true })
  const message = { topic: 'at', json: '{"a":1}', scope: 'site', skipSender: true } as const
  const from = { name: 'a:{1}', site: 'paris' }
  expect(decodeMessage(encodeMessage(message, sender))).toEqual({ ...message, sender: from })
  expect(decodeMessage(encodeAbandonment(sender))).toEqual({ sender: from })
  for (const unreadable of ['', '{', 'null', '7', '{"v":2,"n":"a"}']) {
    expect(decodeMessage(unreadable)).toBeUndefined()
    expect(decodeMember('a:b', unreadable)).toBeUndefined()
  }
})
