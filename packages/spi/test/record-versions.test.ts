import { expect, test } from 'vitest'
import { RecordVersions } from '../src/index.js'

const versionOf = (text: string) => /^(\d+):/.exec(text)?.[1]

test('a record of the version that is written is left as it is', () => {
  const versions = new RecordVersions<string>({ current: '1', versionOf })
  expect(versions.isCurrent('1:a')).toBe(true)
  expect(versions.upcast('1:a')).toBe('1:a')
})

test('older records are read step by step', () => {
  const versions = new RecordVersions<string>({
    current: '3',
    versionOf,
    upcasters: { 1: (text) => text.replace('1:', '2:x'), 2: (text) => text.replace('2:', '3:y') },
  })
  expect(versions.upcast('1:a')).toBe('3:yxa')
  expect(versions.upcast('2:a')).toBe('3:ya')
  expect(versions.isCurrent('2:a')).toBe(false)
})

test('what nobody can read is none', () => {
  const versions = new RecordVersions<string>({
    current: '3',
    versionOf,
    upcasters: { 1: (text) => text, 2: (text) => text.replace('2:', '1:') },
  })
  expect(versions.upcast('4:a')).toBeUndefined()
  expect(versions.upcast('no version')).toBeUndefined()
  // Upcasters that lead nowhere.
  expect(versions.upcast('2:a')).toBeUndefined()
})
