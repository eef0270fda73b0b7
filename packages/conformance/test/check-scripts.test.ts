import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineScript, type Script } from '@authstate/redis'
import { expect, onTestFinished, test } from 'vitest'
import { checkScripts } from '../src/index.js'

const good = `-- Count one more.
--
-- KEYS[1] counter  string
-- ARGV[1] by       how many
--
-- Returns the count.

return redis.call('INCRBY', KEYS[1], ARGV[1])
`

const noting = good.replace('return redis', "--@ changed('toy', KEYS[1], 'full')\nreturn redis")

const describeAdd = (lua: string, more: Partial<Script<string, string, unknown>> = {}) =>
  defineScript({
    name: 'toy.add',
    lua,
    record: 'toy',
    change: 'full',
    changes: 'a counter of this test is no record',
    keys: ['counter'],
    args: ['by'],
    decode: Number,
    ...more,
  })

/** Names of the checks that fail. */
async function failing(script: Script<string, string, unknown>, files: readonly string[] = ['add.lua']) {
  const folder = mkdtempSync(join(tmpdir(), 'authstate-lua-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const file of files) writeFileSync(join(folder, file), '')
  const checks: [string, () => Promise<void>][] = []
  checkScripts('toy', { script }, pathToFileURL(`${folder}/`), {
    describe: (_, body) => body(),
    test: (name, body) => checks.push([name, body as () => Promise<void>]),
  })
  expect(checks).toHaveLength(4)
  const outcomes = await Promise.allSettled(checks.map(([, check]) => check()))
  return checks.filter((_, index) => outcomes[index]?.status === 'rejected').map(([name]) => name)
}

const HEADER = 'toy.add: the header names what the descriptor names'
const USES = 'toy.add: uses only what it was given'
const NOTES = 'toy.add: notes the changes that it declares'
const FILES = 'every .lua file has one descriptor'

test('a script as it should be passes', async () => {
  expect(await failing(describeAdd(good))).toEqual([])
})

test.each<[string, string, Partial<Script<string, string, unknown>>, string]>([
  ['a key by another name', good, { keys: ['count'] }, HEADER],
  ['an argument that the header leaves out', good, { args: ['by', 'now'] }, HEADER],
  ['an argument that the descriptor leaves out', good, { args: [] }, HEADER],
  ['no word on what it returns', good.replace('-- Returns the count.', '--'), {}, HEADER],
  ['no word on what it does', good.replace('-- Count one more.', '--'), {}, HEADER],
  ['the clock of the server', good.replace('return', "redis.call('TIME') return"), {}, USES],
  ['a walk over all keys', good.replace('return', "redis.pcall( 'scan', 0) return"), {}, USES],
  ['a key that it was not given', good.replace('return', "redis.call('GET', KEYS[2]) return"), {}, USES],
  ['an argument that it was not given', good.replace('ARGV[1])', 'ARGV[2])'), {}, USES],
  ['a write that calls itself none', good, { change: 'none' }, USES],
  ['a rare write that calls itself none', good.replace('INCRBY', 'HSETNX'), { change: 'none' }, USES],
  ['a read that calls itself a write', good.replace('INCRBY', 'HGET'), {}, USES],
  ['a command that nobody can see', good.replace("'INCRBY'", 'ARGV[1]'), {}, USES],
  ['a writer that says nothing of its changes', good, { changes: undefined as never }, NOTES],
  ['a change that it does not note', good, { changes: { toy: ['full'] } }, NOTES],
  ['a change that it notes and does not declare', noting, {}, NOTES],
  ['a change that it notes as another', noting, { changes: { toy: ['removal'] } }, NOTES],
])('%s is found', async (_, lua, more, check) => {
  const failed = await failing(describeAdd(lua, more))
  expect(failed).toContain(check)
})

test('a script that notes what it declares passes', async () => {
  expect(await failing(describeAdd(noting, { changes: { toy: ['full'] } }))).toEqual([])
})

test.each([[['add.lua', 'stray.lua']], [['sub.lua']], [[]]])('files %j are found', async (files) => {
  expect(await failing(describeAdd(good), files)).toEqual([FILES])
})

test('other files beside the scripts do not matter', async () => {
  expect(await failing(describeAdd(good), ['add.lua', 'README.md'])).toEqual([])
})
