// What another node, perhaps of another version, may leave in Redis.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMember, decodeMessage, encodeMember, encodeMessage } from '../src/redis/wire.js'

const SCOPES = ['all', 'others', 'site', 'other-sites'] as const
const value = fc.oneof(fc.string(), fc.nat(), fc.jsonValue())
const nearly = (names: readonly string[]) =>
  fc
    .record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
    .map((said) => JSON.stringify({ v: 1, ...said }))
const text = (names: readonly string[]) => fc.oneof(fc.string(), fc.json(), nearly(names))

test('a member is understood in full or not at all', () => {
  const said = text(['name', 'site', 'route', 'joinedAt', 'beat', 'sent', 'now'])
  fc.assert(
    fc.property(fc.string(), said, (field, json) => {
      const member = decodeMember(field, json)
      if (member === undefined) return
      const { node, sent, now } = member
      expect(node.name).toBeTypeOf('string')
      expect(['string', 'undefined']).toContain(typeof node.site)
      expect(['string', 'undefined']).toContain(typeof node.route)
      for (const number of [node.joinedAt, sent, now]) expect(Number.isFinite(number)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

test('a message is understood in full or not at all', () => {
  fc.assert(
    fc.property(text(['t', 'e', 'c', 'k', 'n', 'x']), (json) => {
      const message = decodeMessage(json)
      if (message === undefined) return
      expect(message.sender.name).toBeTypeOf('string')
      expect(['string', 'undefined']).toContain(typeof message.sender.site)
      if (message.topic === undefined) return
      expect(message.topic).toBeTypeOf('string')
      expect(message.json).toBeTypeOf('string')
      expect(SCOPES).toContain(message.scope)
    }),
    { numRuns: 1_000 },
  )
})

test('what is sent arrives', () => {
  const name = fc.string()
  const site = fc.option(name, { nil: undefined })
  fc.assert(
    fc.property(name, site, fc.nat(), fc.json(), fc.constantFrom(...SCOPES), (topic, of, at, json, scope) => {
      const node = { name: topic, incarnation: 'i', joinedAt: at, ...(of !== undefined && { site: of }) }
      const isTold = at % 3 === 0
      const said = { beat: 1, sent: at, now: at, ...(isTold && { told: 1 as const }) }
      expect(decodeMember('0:i', encodeMember(node, said))).toEqual({
        node,
        sent: at,
        now: at,
        isTold,
        reads: 1,
      })
      const message = { topic, json, scope, skipSender: at % 2 === 0 }
      const sender = { name: topic, ...(of !== undefined && { site: of }) }
      expect(decodeMessage(encodeMessage(message, node))).toEqual({ ...message, sender })
    }),
  )
})
