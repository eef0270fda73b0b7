// Finds a Redis server on this machine, or installs Debian's. Needs nothing but Node.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

export function findProgram(names, env = process.env) {
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
export function whyNoInstall(env = process.env) {
  if (env.AUTHSTATE_TEST_REDIS_INSTALL === 'no') return 'AUTHSTATE_TEST_REDIS_INSTALL=no'
  if (env.AUTHSTATE_TEST_REDIS_KIND === 'wasm') return 'AUTHSTATE_TEST_REDIS_KIND=wasm'
  if (findProgram(['apt-get'], env) === undefined) return 'there is no apt-get'
  if (process.getuid?.() !== 0) return 'not root'
  return undefined
}

/** Asked by Debian's packages before they start a service: 101 is "do not". */
const POLICY = '/usr/sbin/policy-rc.d'

/** Installs Debian's redis-server without starting its service. Returns what went wrong, or undefined. */
export function installRedisServer(env = process.env) {
  const ownPolicy = !existsSync(POLICY)
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    for (const args of [
      ['-qq', 'update'],
      ['-qq', 'install', '-y', '--no-install-recommends', 'redis-server'],
    ]) {
      const { status, stderr, error } = spawnSync('apt-get', args, {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
      })
      if (status !== 0) return error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit ${status}`
    }
    return undefined
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true })
  }
}
