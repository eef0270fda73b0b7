// Servers as no test can have them: of another version, under other load, on another host. All but what they say is real.
import { createServer } from 'node:net'
import type { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'

/** A client whose server says something else of itself in INFO. */
export function saying(client: Redis, lines: Readonly<Record<string, string>>): Redis {
  const call = client.call.bind(client) as (...args: unknown[]) => Promise<unknown>
  const changed = async (...args: unknown[]): Promise<unknown> => {
    const answer = await call(...args)
    if (String(args[0]).toUpperCase() !== 'INFO') return answer
    const left = String(answer)
      .split('\r\n')
      .filter((line) => !((line.split(':')[0] as string) in lines))
    return [...left, ...Object.entries(lines).map(([name, value]) => `${name}:${value}`)].join('\r\n')
  }
  return Object.assign(client, { call: changed })
}

/** A client whose server is on another host. */
export function elsewhere(client: Redis): Redis {
  const { stream } = client as unknown as { readonly stream: object }
  Object.defineProperty(stream, 'remoteAddress', { value: '192.0.2.7' })
  return client
}

/** A sentinel that names this master, and knows of two others that are up; returns its port. */
export async function sentinelNaming(master: {
  readonly host: string
  readonly port: number
}): Promise<number> {
  const others = [1, 2].map((n) => ['name', `sentinel-${n}`, 'flags', 'sentinel'])
  const answers: Readonly<Record<string, unknown>> = {
    'get-master-addr-by-name': [master.host, `${master.port}`],
    sentinels: others,
  }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.on('data', (data) => {
      for (const command of String(data)
        .split(/^\*\d+\r\n/m)
        .slice(1)) {
        const [name = '', part = ''] = [...command.matchAll(/\$\d+\r\n(.*)\r\n/g)].map(([, word]) => word)
        socket.write(name.toLowerCase() === 'sentinel' ? respOf(answers[part] ?? []) : respOf('OK'))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

const respOf = (value: unknown): string =>
  Array.isArray(value)
    ? `*${value.length}\r\n${value.map(respOf).join('')}`
    : `$${Buffer.byteLength(`${value}`)}\r\n${value}\r\n`
