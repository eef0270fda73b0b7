// What another node, perhaps of another version, may send.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeDeclarations, encodeDeclarations } from '../src/wire.js'

const word = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor'))
const nearly = fc.record(
  {
    r: fc.oneof(word, fc.jsonValue()),
    k: fc.oneof(fc.array(word), fc.jsonValue()),
    t: fc.oneof(fc.array(word), fc.jsonValue()),
    c: fc.oneof(fc.constant(1), fc.jsonValue()),
  },
  { requiredKeys: [] },
)
const event = fc.oneof(fc.array(fc.oneof(nearly, fc.jsonValue())), fc.jsonValue(), fc.constant(undefined))

test('an event is understood in full or not at all', () => {
  fc.assert(
    fc.property(event, (said) => {
      const declarations = decodeDeclarations(said)
      if (declarations === undefined || declarations === 'everything') return
      for (const { region, invalidated } of declarations) {
        expect(region).toBeTypeOf('string')
        if (invalidated === 'all') continue
        for (const name of [...invalidated.keys, ...invalidated.tags]) expect(name).toBeTypeOf('string')
      }
    }),
    { numRuns: 1_000 },
  )
})

test('what is told arrives', () => {
  const names = fc.array(word, { maxLength: 20 })
  fc.assert(
    fc.property(word, names, names, (region, keys, tags) => {
      const events = encodeDeclarations([{ region, invalidated: { keys, tags } }])
      const heard = events.map((event) => decodeDeclarations(JSON.parse(JSON.stringify(event))))
      const invalidated = heard.flatMap((said) =>
        said === undefined || said === 'everything' || said[0]?.invalidated === 'all'
          ? []
          : said.map(
              (declaration) => declaration.invalidated as Exclude<typeof declaration.invalidated, 'all'>,
            ),
      )
      expect(invalidated.flatMap(({ keys }) => keys)).toEqual(keys)
      expect(invalidated.flatMap(({ tags }) => tags)).toEqual(tags)
    }),
  )
})
