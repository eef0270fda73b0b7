// Errors of a client that belongs to another JavaScript realm than this module, as under some test runners.
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { isScriptMissing, reasonOf } from '../src/failure.js'

const foreign = (message: string): Error =>
  runInNewContext(`Object.assign(new Error(message), { name: 'ReplyError' })`, { message })

test('a script that is missing is told by the error of a foreign client', () => {
  expect(isScriptMissing(foreign('NOSCRIPT No matching script.'))).toBe(true)
})

test('a reason is told by the error of a node that a foreign client has', () => {
  const lastNodeError = foreign('READONLY You cannot write against a read only replica.')
  expect(reasonOf(Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError }))).toBe(
    'READONLY',
  )
})
