import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type ConnectionSites, followedBySites, type RedisConnection, type SiteVerb } from '../src/index.js'
import { node, prefixIn, write } from './changes-support.js'

class Things {
  readonly #kept: string[] = []
  async put(thing: string) {
    this.#kept.push(thing)
    return this.#kept.length
  }
  async list() {
    return [...this.#kept]
  }
}

/** Notes what it is told. */
function recordingSites() {
  const [verbs, keys]: [SiteVerb[], string[]] = [[], []]
  const sites: ConnectionSites = {
    site: 'a',
    follow: (verb, run) => {
      verbs.push(verb)
      return run()
    },
    isReady: () => true,
    changing: (key) => void keys.push(key),
  }
  return { sites, verbs, keys }
}

describe('verbs that sites follow', () => {
  test('run as they are while there are no sites, and through them once there are', async () => {
    const connection = { keys: {} } as { -readonly [Name in keyof RedisConnection]: RedisConnection[Name] }
    const things = followedBySites(new Things(), connection, 'thing', { put: 'unsafe' })
    expect(things).toBeInstanceOf(Things)
    expect(await things.put('x')).toBe(1)
    const { sites, verbs } = recordingSites()
    connection.sites = sites
    expect(await things.put('y')).toBe(2)
    expect(await things.list()).toEqual(['x', 'y'])
    expect(verbs).toEqual([{ spi: 'thing', verb: 'put', kind: 'unsafe' }])
  })
})

describeWith(redis, 'a connection with sites', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  test('tells them which key changes by a script that notes it, and of no other script', async () => {
    const prefix = prefixIn(raw)
    const connection = await node(prefix, ['audit'])
    const { sites, keys } = recordingSites()
    const thing = connection.keys.key(1, 'thing', 'one')
    await connection.run(write, { thing }, { value: 'x' })
    connection.goWithSites(sites)
    await connection.run(write, { thing }, { value: 'y' })
    const silent = await node(prefixIn(raw), [])
    silent.goWithSites(sites)
    await silent.run(write, { thing: silent.keys.key(0, 'thing', 'two') }, { value: 'z' })
    expect(keys).toEqual([thing])
  })
})
