// Programs of this machine, and Debian's packages where one is missing. Needs nothing but Node.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { delimiter, isAbsolute, join } from 'node:path'

export const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The absolute path of the first of these names on the PATH, or undefined. */
export function findProgram(names, env = process.env) {
  for (const dir of (env.PATH ?? '').split(delimiter).filter(isAbsolute)) {
    const found = names.map((name) => join(dir, name)).find(isProgram)
    if (found !== undefined) return found
  }
  return undefined
}

/** Said whenever something is installed. */
export const HOW_TO_STOP = 'AUTHSTATE_TEST_REDIS_INSTALL=no keeps it from that'

/** Why this process cannot install packages, or undefined when it can. */
export function whyNoInstall(env = process.env) {
  if (env.AUTHSTATE_TEST_REDIS_INSTALL === 'no') return 'AUTHSTATE_TEST_REDIS_INSTALL=no'
  if (findProgram(['apt-get'], env) === undefined) return 'there is no apt-get'
  if (process.getuid?.() !== 0) return 'not root'
  return undefined
}

/** Asked by Debian's packages before they start a service: 101 is "do not". */
const POLICY = '/usr/sbin/policy-rc.d'

const isOpen = (port) =>
  new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(socket.destroy() !== undefined))
    socket.once('error', () => resolve(false))
  })

/**
 * Installs packages and leaves no service of theirs running: `services` are names with the port each would open.
 * Returns what went wrong, or undefined.
 */
export async function installPackages(packages, services, env = process.env) {
  const ownPolicy = !existsSync(POLICY)
  const before = new Map()
  for (const port of Object.values(services)) before.set(port, await isOpen(port))
  if (ownPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    for (const args of [
      ['-qq', 'update'],
      ['-qq', 'install', '-y', '--no-install-recommends', ...packages],
    ]) {
      const { status, stderr, error } = spawnSync('apt-get', args, {
        env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
      })
      if (status !== 0) return error?.message ?? stderr.trim().split('\n').at(-1) ?? `status ${status}`
    }
    // a policy that was there before us may have let a service start
    for (const [service, port] of Object.entries(services)) {
      if (!before.get(port) && (await isOpen(port)))
        spawnSync('service', [service, 'stop'], { stdio: 'ignore' })
    }
    return undefined
  } finally {
    if (ownPolicy) rmSync(POLICY, { force: true })
  }
}
