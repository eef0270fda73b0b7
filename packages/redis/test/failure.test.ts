import { StoreCorruptError, StoreUnavailableError } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { concealError } from '../src/conceal.js'
import { DeadlineExceeded } from '../src/deadline.js'
import { isScriptMissing, reasonOf, refusalOf, storeFailure } from '../src/failure.js'
import { missingRight } from '../src/rights.js'
import { defineScript } from '../src/script.js'
import { everythingIn } from './support.js'

const wrapped = (text: string) =>
  `ERR Error running script (call to f_6b1bf486c81ceb7edf3c093f4c48582e38c0e791): @user_script:4: @user_script: 4: -${text}`

const refusals = {
  READONLY: "READONLY You can't write against a read only replica.",
  LOADING: 'LOADING Redis is loading the dataset in memory',
  MASTERDOWN: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  CLUSTERDOWN: 'CLUSTERDOWN The cluster is down',
  TRYAGAIN: 'TRYAGAIN Multiple keys request during rehashing of slot',
  MOVED: 'MOVED 3999 127.0.0.1:6381',
  ASK: 'ASK 3999 127.0.0.1:6381',
  CROSSSLOT: "CROSSSLOT Keys in request don't hash to the same slot",
  OOM: "OOM command not allowed when used memory > 'maxmemory'.",
  NOREPLICAS: 'NOREPLICAS Not enough good replicas to write.',
  MISCONF:
    'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
  BUSY: 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  NOAUTH: 'NOAUTH Authentication required.',
  NOPERM: "NOPERM this user has no permissions to run the 'evalsha' command",
  WRONGPASS: 'WRONGPASS invalid username-password pair or user is disabled.',
  DENIED: 'DENIED Redis is running in protected mode because protected mode is enabled',
  NOSCRIPT: 'NOSCRIPT No matching script. Please use EVAL.',
  NOPROTO: 'NOPROTO unsupported protocol version',
}

describe('Redis refused before it executed anything: nothing was applied', () => {
  test.each(Object.entries(refusals))('%s', (code, message) => {
    const error = storeFailure('spi.verb', new Error(message))
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error).toMatchObject({ applied: 'no' })
    const right = code === 'NOPERM' ? `: ${missingRight(new Error(message))}` : ''
    expect((error as Error).message).toBe(`spi.verb: Redis refused the command (${code})${right}`)
    expect(refusalOf(message)).toBe(code)
  })

  test.each(['READONLY', 'OOM', 'NOREPLICAS', 'MISCONF'] as const)('%s from within a script', (code) => {
    const { [code]: message } = refusals
    const ofRedis6 = wrapped(message)
    const ofRedis7 = `${message} script: 6b1bf486c81ceb7edf3c093f4c48582e38c0e791, on @user_script:4.`
    for (const text of [ofRedis6, ofRedis7, `-${message}`]) {
      expect(storeFailure('spi.verb', new Error(text))).toMatchObject({ applied: 'no' })
      expect(refusalOf(text)).toBe(code)
    }
  })

  test.each(['MOVED 3999 127.0.0.1:6381', 'CLUSTERDOWN The cluster is down'])(
    'a Cluster client that gave up on %s',
    (last) => {
      const error = new Error(`Too many Cluster redirections. Last error: ReplyError: ${last}`)
      expect(storeFailure('spi.verb', error)).toMatchObject({ applied: 'no' })
    },
  )

  test('unless the client may have sent it before', () => {
    const error = storeFailure('spi.verb', new Error(refusals.READONLY), true)
    expect(error).toMatchObject({ applied: 'unknown', message: expect.stringContaining('(READONLY)') })
  })
})

describe('it was never sent', () => {
  test.each([
    "Stream isn't writeable and enableOfflineQueue options is false",
    "Cluster isn't ready and enableOfflineQueue options is false",
    'None of startup nodes is available',
    'Failed to refresh slots cache.',
  ])('%s', (message) => {
    for (const mayRepeat of [false, true]) {
      expect(storeFailure('spi.verb', new Error(message), mayRepeat)).toMatchObject({
        applied: 'no',
        message: 'spi.verb: there is no connection to Redis',
      })
    }
  })
})

describe('nobody knows whether it was applied', () => {
  test.each([
    'Connection is closed.',
    'Command timed out',
    'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
    'Too many Cluster redirections. Last error: Error: Connection is closed.',
    'Command aborted due to connection close',
    'Cluster is ended.',
    'read ECONNRESET',
    'ERR user_script:3: attempt to index a nil value',
    'ERR value is not an integer or out of range script: x, on @user_script:1.',
    'BUSYKEY Target key name already exists.',
    'UNKILLABLE Sorry the script already executed write commands against the dataset.',
    'an id that says READONLY',
    '',
  ])('%s', (message) => {
    expect(storeFailure('spi.verb', new Error(message))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      applied: 'unknown',
      message: 'spi.verb: Redis did not complete the command',
    })
  })

  test('a deadline', () => {
    expect(storeFailure('spi.verb', new DeadlineExceeded(250))).toMatchObject({
      applied: 'unknown',
      message: 'spi.verb: Redis gave no answer within 250 ms',
    })
  })

  test.each([undefined, null, 'text', 1])('%s, which is no error', (thrown) => {
    expect(storeFailure('spi.verb', thrown)).toMatchObject({ applied: 'unknown' })
  })
})

test.each([
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  wrapped('WRONGTYPE Operation against a key holding the wrong kind of value'),
])('%s: a key is not ours', (message) => {
  const error = storeFailure('spi.verb', new Error(message))
  expect(error).toBeInstanceOf(StoreCorruptError)
  expect(error.message).toBe('spi.verb: a key of this library holds another type of value')
})

test('what failed is kept as the cause', () => {
  const cause = new Error('Connection is closed.')
  expect(storeFailure('spi.verb', cause).cause).toBe(cause)
})

test('NOSCRIPT asks for the source, and nothing else does', () => {
  expect(isScriptMissing(new Error(refusals.NOSCRIPT))).toBe(true)
  expect(isScriptMissing(new Error(wrapped('NOSCRIPT')))).toBe(false)
  expect(isScriptMissing('NOSCRIPT')).toBe(false)
})

test.each<[unknown, string]>([
  [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  [new Error(refusals.WRONGPASS), 'WRONGPASS'],
  [Object.assign(new Error('Failed'), { lastNodeError: new Error(refusals.NOAUTH) }), 'NOAUTH'],
  [new Error('ERR max number of clients reached'), 'ERR max number of clients reached'],
])('%o failed because of %s', (error, reason) => expect(reasonOf(error)).toBe(reason))

describe('concealError', () => {
  test('takes the arguments out, also of what lies beneath', () => {
    const lastNodeError = Object.assign(new Error('a'), { command: { name: 'hello', args: [3, 's3cret'] } })
    const error = Object.assign(new Error('b'), { command: { name: 'get', args: ['s3cret'] }, lastNodeError })
    expect(concealError(error)).toBe(error)
    expect(everythingIn(error)).not.toContain('s3cret')
    expect(error.command).toEqual({ name: 'get', args: ['?'] })
  })

  test.each([
    "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 's3cret' ",
    'ERR unknown command `evalsha`, with args beginning with: `s3cret`, `2`, ',
    "ERR unknown command 'x', with args beginning with: 's3cret\n s3cret'",
  ])('takes out what Redis repeats: %s', (message) => {
    const error = concealError(new Error(message))
    expect(everythingIn(error)).not.toContain('s3cret')
    expect(error.message).toMatch(/^ERR unknown command .\w+.$/)
  })

  test.each([undefined, null, 1, 'text', {}])('leaves %s alone', (thrown) => {
    expect(concealError(thrown)).toBe(thrown)
  })
})

describe('a right that the user lacks is named, in the words of each version', () => {
  const script = defineScript({
    name: 'test.rights',
    lua: "local key = KEYS[1]\nreturn redis.call('XADD', key, '*', 'a', 'b')",
    record: 'test',
    change: 'full',
    keys: ['key'],
    args: [],
    decode: String,
  })
  test.each([
    [
      "NOPERM this user has no permissions to run the 'xread' command or its subcommand",
      '"xread": add "+xread"',
    ],
    ["NOPERM User node has no permissions to run the 'xread' command", '"xread": add "+xread"'],
    [
      `ERR Error running script (call to f_${script.sha1}): @user_script:2: The user executing the script can't run this command or subcommand`,
      '"xadd": add "+xadd"',
    ],
    [
      `ERR The user executing the script can't run this command or subcommand script: ${script.sha1}, on @user_script:2.`,
      '"xadd": add "+xadd"',
    ],
    [
      `ERR ACL failure in script: User node has no permissions to run the 'xadd' command script: ${script.sha1}, on @user_script:2.`,
      '"xadd": add "+xadd"',
    ],
    ['NOPERM No permissions to access a key', 'may not touch a key'],
    [
      'NOPERM this user has no permissions to access one of the keys used as arguments',
      'may not touch a key',
    ],
  ])('%s', (message, heard) => {
    expect(missingRight(new Error(message))).toContain(heard)
    const { applied } = storeFailure('spi.verb', new Error(message)) as StoreUnavailableError
    expect(applied).toBe(message.startsWith('NOPERM') ? 'no' : 'unknown')
  })
})
