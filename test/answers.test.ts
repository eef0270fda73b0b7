// What tells of calls tells a word only if it is in the list: a contract that answers a new word names it there.
import { expect, test } from 'vitest'
import { PROVIDER_ANSWERS } from '../packages/spi/src/index.js'
import { readTracked } from './lib/tracked.js'

const contracts = readTracked(/^packages\/[^/]+\/src\/(contract|records)\.ts$/)

/** Every word that a contract gives an `outcome`, or that a verb answers as it is: `Promise<'stored' | 'refused'>`. */
function wordsOf(text: string): string[] {
  const types = [
    ...text.matchAll(/\boutcome: ((?:'[a-z-]+'(?: \| )?)+)/g),
    ...text.matchAll(/Promise<((?:'[a-z-]+'(?: \| )?)+)>/g),
  ]
  return types.flatMap(([, words = '']) => [...words.matchAll(/'([a-z-]+)'/g)].map(([, word = '']) => word))
}

test('every word that a verb answers is in the list of those that are told', () => {
  const words = new Map([...contracts].map(([path, text]) => [path, wordsOf(text)]))
  expect([...words.values()].flat().length).toBeGreaterThan(20)
  const missing = [...words].flatMap(([path, found]) =>
    found
      .filter((word) => !PROVIDER_ANSWERS.some((answer) => answer === word))
      .map((word) => `${path}: ${word}`),
  )
  expect(missing).toEqual([])
})

test('it finds what is planted', () => {
  expect(wordsOf("readonly outcome: 'a' | 'b-c'\nput(): Promise<'d' | 'e'>\nreason: 'f'")).toEqual([
    'a',
    'b-c',
    'd',
    'e',
  ])
})
