// Runs the recipes of docs/load-balancers.md on the real balancers: ordinary processes on loopback, with a configuration
// and a directory of their own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Balancer, findBalancer, packageOf } from '../servers/balancers.mjs'
import { freeBase } from '../servers/topology.mjs'
import type { Capability } from './capabilities.js'

export type { Balancer } from '../servers/balancers.mjs'

export const balancers: readonly Balancer[] = ['haproxy', 'nginx', 'apache']

export function balancerCapability(name: Balancer): Capability {
  const available = findBalancer(name) !== undefined
  const reason = `needs ${name} on the PATH: apt-get install ${packageOf(name)}`
  return { name, available, reason: available ? '' : reason }
}

export interface RunningBalancer {
  readonly port: number
  stop(): Promise<void>
}

/** Starts a balancer by its recipe, over back ends with the routes n1, n2, … in the order of the ports. */
export async function startBalancer(
  name: Balancer,
  backendPorts: readonly number[],
): Promise<RunningBalancer> {
  const program = findBalancer(name) as string
  const port = await freeBase(1)
  const dir = mkdtempSync(join(tmpdir(), `authstate-${name}-`))
  const { text, args } = configurations[name](recipe(name, port, backendPorts), dir)
  const file = join(dir, 'configuration')
  writeFileSync(file, text)
  const child = spawn(program, args(file), { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-8000)
    })
  }
  const ended = once(child, 'exit')
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
    rmSync(dir, { recursive: true, force: true })
  }
  for (let tries = 0; !(await isOpen(port)); tries++) {
    if (child.exitCode !== null || tries === 200) {
      const log = join(dir, 'log')
      const why = existsSync(log) ? said + readFileSync(log, 'utf8') : said
      await stop()
      throw new Error(`${name} did not start: ${why}`)
    }
    await sleep(25)
  }
  return { port, stop }
}

/** The fenced block of that language on the page, with addresses of loopback. */
function recipe(name: Balancer, port: number, backendPorts: readonly number[]): string {
  const page = readFileSync(new URL('../../docs/load-balancers.md', import.meta.url), 'utf8')
  const [, block] = new RegExp(`^\`\`\`${name}\n([^]*?)^\`\`\`$`, 'm').exec(page) ?? []
  if (block === undefined) throw new Error(`docs/load-balancers.md has no recipe for ${name}`)
  return block
    .replaceAll('10.0.0.9:8080', `127.0.0.1:${port}`)
    .replace(/10\.0\.0\.(\d):8080/g, (_, node: string) => `127.0.0.1:${backendPorts[Number(node) - 1]}`)
}

interface Configuration {
  readonly text: string
  readonly args: (file: string) => string[]
}

/** What stands around a recipe: where a process without an installation keeps its files. */
const configurations: Readonly<Record<Balancer, (recipe: string, dir: string) => Configuration>> = {
  haproxy: (text) => ({ text, args: (file) => ['-db', '-f', file] }),
  nginx: (text, dir) => ({
    text: [
      'daemon off; master_process off;',
      `pid ${dir}/pid; error_log stderr warn;`,
      'events {}',
      'http {',
      'access_log off;',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (item) => `${item}_temp_path ${dir}/${item};`,
      ),
      text,
      '}',
    ].join('\n'),
    args: (file) => ['-p', dir, '-e', 'stderr', '-c', file],
  }),
  apache: (text, dir) => ({
    text: [
      `ServerRoot ${dir}`,
      'ServerName localhost',
      `PidFile ${dir}/pid`,
      `DefaultRuntimeDir ${dir}`,
      `ErrorLog ${dir}/log`,
      ...(process.getuid?.() === 0 ? ['User nobody', 'Group nogroup'] : []),
      ...apacheModules.map((item) => `LoadModule ${item}_module /usr/lib/apache2/modules/mod_${item}.so`),
      `Listen ${/<VirtualHost ([^>]+)>/.exec(text)?.[1]}`,
      text,
    ].join('\n'),
    args: (file) => ['-D', 'FOREGROUND', '-f', file],
  }),
}

const apacheModules = [
  'mpm_event',
  'authz_core',
  'proxy',
  'proxy_http',
  'slotmem_shm',
  'lbmethod_byrequests',
  'proxy_balancer',
]

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
