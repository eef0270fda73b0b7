import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkPage, comparePositions, decodeCursor, encodeCursor } from '../src/index.js'

const id = 'vJt0sZ3cH1yQm8XbW2kLd00a'

describe('a cursor', () => {
  test('comes back', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (score) => {
        const cursor = encodeCursor({ score, id })
        const position = decodeCursor(cursor)
        expect(position.score).toBe(score)
        expect(comparePositions(position, { score, id })).toBeGreaterThan(0)
        expect(comparePositions(position, { score, id: `vJt0sZ3d${id.slice(8)}` })).toBeLessThan(0)
      }),
    )
  })

  test('names no record and no instant', () => {
    const cursor = encodeCursor({ score: 1_700_000_000_000, id })
    for (const text of [cursor, Buffer.from(cursor, 'base64url').toString('latin1')]) {
      expect(text).not.toContain(id)
      expect(text).not.toContain('1700000000000')
      expect(text).not.toContain(id.slice(8))
    }
  })

  test('whatever else is a TypeError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor(text)).toThrow(TypeError)
      }),
    )
  })

  test('positions are ordered by score, then by id, byte by byte', () => {
    const positions = ['B', 'a', '-', '_', '0'].map((id) => ({ score: 1, id }))
    expect([{ score: 2, id: '' }, ...positions].sort(comparePositions).map(({ id }) => id)).toEqual([
      '-',
      '0',
      'B',
      '_',
      'a',
      '',
    ])
  })
})

describe('a page', () => {
  test('begins at the start with twenty entries where nothing is said', () => {
    const begin = { limit: 20, after: { score: 0, id: '' } }
    expect([checkPage(), checkPage({}), checkPage({ limit: undefined, cursor: undefined })]).toEqual([
      begin,
      begin,
      begin,
    ])
  })

  test('goes on behind its cursor', () => {
    const cursor = encodeCursor({ score: 7, id })
    expect(checkPage({ limit: 100, cursor })).toEqual({ limit: 100, after: decodeCursor(cursor) })
  })

  test.each([0, 101, 1.5, '20', null])('has no limit of %o', (limit) => {
    expect(() => checkPage({ limit: limit as number })).toThrow(/"page\.limit"/)
  })

  test.each(['', 'x', null, 7])('does not begin behind %o', (cursor) => {
    expect(() => checkPage({ cursor: cursor as string })).toThrow(/"page\.cursor"/)
  })
})
