import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SystemOptions {
  readonly redisUrl: string
  readonly kind: 'session' | 'cookie'
  readonly noFence: boolean
}

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** A program on the PATH, or where a login that is not root's often does not look. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

/** A program of this folder in a process of its own, and the port that it listens on. */
async function start(
  program: string,
  env: NodeJS.ProcessEnv,
): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileOf(program), [], { env: { ...process.env, ...env }, execArgv: process.execArgv })
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => [undefined]),
  ])) as [{ port: number } | undefined]
  if (message === undefined) throw new Error(`${program} ended before it listened`)
  return { child, port: message.port }
}

/** The provider, two processes of the application, and a balancer before them that sends every other request to the other. */
export class System {
  readonly #options: SystemOptions
  readonly #prefix = `two-node-app-${process.pid}-${Date.now().toString(36)}`
  readonly #nodes: ({ child: ChildProcess; port: number } | undefined)[] = []
  #ports: number[] = []
  #op: { child: ChildProcess; port: number } | undefined
  #balancer: { readonly port: number; stop(): Promise<void> } | undefined

  private constructor(options: SystemOptions) {
    this.#options = options
  }

  static async start(options: SystemOptions): Promise<System> {
    const system = new System(options)
    system.#op = await start('./op.ts', {})
    system.#ports = [await freePort(), await freePort()]
    const [publicPort] = [await freePort()]
    system.#balancer = await startBalancer(publicPort, system.#ports)
    await Promise.all([system.startNode(0), system.startNode(1)])
    await system.#untilBothServe()
    return system
  }

  get op(): string {
    return `http://127.0.0.1:${this.#op?.port}`
  }

  /** What browsers ask: the balancer. */
  get origin(): string {
    return `http://127.0.0.1:${this.#balancer?.port}`
  }

  /** One process, past the balancer. */
  node(number: 0 | 1): string {
    return `http://127.0.0.1:${this.#ports[number]}`
  }

  hostOf(number: 0 | 1): string {
    return `127.0.0.1:${this.#ports[number]}`
  }

  async startNode(number: 0 | 1): Promise<void> {
    const { redisUrl, kind, noFence } = this.#options
    this.#nodes[number] = await start('./node.ts', {
      REDIS_URL: redisUrl,
      APP_PREFIX: this.#prefix,
      APP_STORE: kind,
      APP_OP: this.op,
      APP_PUBLIC: this.origin,
      APP_PORT: String(this.#ports[number]),
      ...(noFence && { APP_NO_FENCE: '1' }),
    })
  }

  async stopNode(number: 0 | 1, signal: NodeJS.Signals): Promise<void> {
    await end(this.#nodes[number]?.child, signal)
    this.#nodes[number] = undefined
  }

  async control(manner: object): Promise<void> {
    await fetch(`${this.op}/control`, { method: 'POST', body: JSON.stringify(manner) })
  }

  async stats(): Promise<{ refreshes: number; failures: number; revoked: number }> {
    return (await fetch(`${this.op}/stats`)).json()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => end(node?.child, 'SIGTERM')))
    await end(this.#op?.child, 'SIGTERM')
    await this.#balancer?.stop()
  }

  async #untilBothServe(): Promise<void> {
    for (let good = 0; good < 4; ) {
      const answer = await fetch(this.origin).catch(() => undefined)
      good = answer?.status === 401 ? good + 1 : 0
      if (good === 0) await pause(50)
    }
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function startBalancer(port: number, ports: readonly number[]) {
  const haproxy = findProgram('haproxy')
  if (haproxy === undefined) return startForwarder(port, ports)
  const folder = mkdtempSync(join(tmpdir(), 'two-node-app-'))
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, configuration(port, ports))
  const child = spawn(haproxy, ['-db', '-f', file], { stdio: 'ignore' })
  return {
    port,
    stop: async () => {
      await end(child, 'SIGTERM')
      rmSync(folder, { recursive: true })
    },
  }
}

/** No stickiness: a browser meets the other process with the next request. */
const configuration = (port: number, ports: readonly number[]) => `
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  retries 3
  option redispatch 1
  retry-on conn-failure

frontend shop
  bind 127.0.0.1:${port}
  default_backend nodes

backend nodes
  balance roundrobin
${ports.map((node, n) => `  server n${n} 127.0.0.1:${node} check inter 100ms fall 1 rise 1`).join('\n')}
`

/** In place of HAProxy: connections go to one process after the other, and to the other one where nobody listens. */
async function startForwarder(port: number, ports: readonly number[]) {
  let turn = 0
  const server: Server = createServer((socket) => {
    const first = turn++
    const to = (tries: number): void => {
      const upstream = connect(ports[(first + tries) % ports.length] ?? 0, '127.0.0.1')
      upstream.once('connect', () => socket.pipe(upstream).pipe(socket))
      upstream.once('error', () => (tries === 0 ? to(1) : socket.destroy()))
    }
    socket.on('error', () => socket.destroy())
    to(0)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { port, stop: async () => void server.close() }
}
