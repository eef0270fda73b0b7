import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { annotationsOf, Noting, recordedAs, type Script } from '@authstate/redis'
import type { Runner } from './run-suite.js'

/** What changes nothing. Everything else counts as a write: a list of writes would forget one. */
const READS = new Set(
  (
    'EXISTS TYPE TTL PTTL GET GETRANGE MGET STRLEN HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HSCAN ' +
    'ZCARD ZCOUNT ZRANGE ZRANGEBYSCORE ZREVRANGE ZREVRANGEBYSCORE ZRANK ZREVRANK ZSCORE ZMSCORE ZSCAN ' +
    'SCARD SISMEMBER SMEMBERS SSCAN LLEN LRANGE XLEN XRANGE XREVRANGE XINFO TIME'
  ).split(' '),
)

const FORBIDDEN = /redis\.p?call\(\s*['"](KEYS|SCAN|CONFIG|RANDOMKEY|SPOP|SRANDMEMBER)['"]/i
const TIME = /redis\.p?call\(\s*['"]TIME['"]/i

/**
 * Holds every `.lua` file of a folder equal to its descriptor.
 *
 * @param readsTime Name of the one script that may ask the server for its time: all others are given the time.
 */
export function checkScripts(
  spi: string,
  scripts: Readonly<Record<string, Script<string, string, unknown>>>,
  folder: URL,
  { describe, test }: Runner,
  readsTime?: string,
): void {
  const all = Object.values(scripts)
  describe(`${spi} scripts`, () => {
    test('every .lua file has one descriptor', async () => {
      const files = readdirSync(folder).filter((file) => file.endsWith('.lua'))
      assert.deepEqual(
        all.map((item) => `${item.name.slice(item.name.indexOf('.') + 1)}.lua`).sort(),
        files.sort(),
      )
    })
    for (const script of all) {
      test(`${script.name}: the header names what the descriptor names`, async () => {
        const header = script.lua.slice(0, script.lua.search(/^(?!--)/m))
        const named = (kind: string) =>
          [...header.matchAll(new RegExp(`^-- ${kind}\\[(\\d+)\\]\\s+(\\w+)`, 'gm'))].map((match) => {
            return `${match[1]} ${match[2]}`
          })
        const numbered = (names: readonly string[]) => names.map((name, index) => `${index + 1} ${name}`)
        assert.deepEqual(named('KEYS'), numbered(script.keys), 'KEYS')
        assert.deepEqual(named('ARGV'), numbered(script.args), 'ARGV')
        assert.match(header, /^-- \S.+\n/, 'a header starts with what the script does')
        assert.match(header, /^-- Returns /m, 'a header says what the script returns')
      })
      test(`${script.name}: uses only what it was given`, async () => {
        assert.doesNotMatch(script.lua, FORBIDDEN)
        if (script.name !== readsTime) assert.doesNotMatch(script.lua, TIME)
        const used = (kind: string) =>
          [...script.lua.matchAll(new RegExp(`${kind}\\[(\\d+)\\]`, 'g'))].map((m) => Number(m[1]))
        assert.ok(Math.max(0, ...used('KEYS')) <= script.keys.length, 'KEYS beyond the descriptor')
        assert.ok(Math.max(0, ...used('ARGV')) <= script.args.length, 'ARGV beyond the descriptor')
        const calls = [...script.lua.matchAll(/redis\.p?call\(\s*(?:['"](\w+)['"])?/g)].map(
          ([, name]) => name,
        )
        assert.ok(!calls.includes(undefined), 'a command is named where it is called')
        const writes = calls.some((name = '') => !READS.has(name.toUpperCase()))
        assert.equal(writes, script.change !== 'none', 'whether it writes')
      })
      test(`${script.name}: notes the changes that it declares`, async () => {
        assert.deepEqual(declaredIn(script), annotatedIn(script))
        const noting = new Noting(recordedAs([{ name: 'all', details: true }]), 1_000).script(script)
        assert.doesNotMatch(noting.lua, FORBIDDEN)
        assert.equal(
          noting === script,
          annotatedIn(script).length === 0,
          'whether it notes what is asked for',
        )
        assert.doesNotMatch(noting.lua, /--@/, 'each of its lines is one of notes')
      })
    }
  })
}

/** `kind how` of each change that a script says it makes. A writer that changes no record says why. */
function declaredIn({ name, change, changes }: Script<string, string, unknown>): string[] {
  if (change !== 'none')
    assert.ok(changes, `${name}: a script that writes says what it changes, or why that is no record`)
  if (typeof changes !== 'object') return []
  return Object.entries(changes)
    .flatMap(([kind, hows]) => hows.map((how) => `${kind} ${how}`))
    .sort()
}

/** `kind how` of each change that the lines of a script note. */
function annotatedIn({ annotated }: Script<string, string, unknown>): string[] {
  return [...new Set(annotationsOf(annotated).map(({ kind, how }) => `${kind} ${how}`))].sort()
}
