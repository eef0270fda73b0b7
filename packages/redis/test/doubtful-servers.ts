// Servers as no test can have them: of another version, under other load, on another host. All but what they say is real.
import type { Redis } from 'ioredis'

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
