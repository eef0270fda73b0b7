// Stands between a client and Redis and counts what passes: nothing about it depends on how busy the machine is.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** What passed between two looks. */
export interface Traffic {
  /** Names of the commands, upper case, in order. */
  readonly commands: readonly string[]
  readonly bytesSent: number
  readonly bytesReceived: number
  /** How often the client sent something after an answer, or at first. */
  readonly roundTrips: number
}

export interface Wire {
  readonly url: string
  /** What passed while `work` ran. */
  during(work: () => Promise<unknown>): Promise<Traffic>
  stop(): Promise<void>
}

export async function openWire(url: string): Promise<Wire> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let commands: string[] = []
  let [bytesSent, bytesReceived, roundTrips] = [0, 0, 0]
  let answered = true
  const server = createServer((client) => {
    const redis = connect(Number(port), hostname)
    const readCommands = commandReader((name) => commands.push(name))
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        client.destroy()
        redis.destroy()
      })
    }
    client.on('data', (chunk) => {
      bytesSent += chunk.length
      if (answered) roundTrips += 1
      answered = false
      readCommands(chunk)
      redis.write(chunk)
    })
    redis.on('data', (chunk) => {
      bytesReceived += chunk.length
      answered = true
      client.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as { port: number }
  return {
    url: `redis://127.0.0.1:${address.port}`,
    during: async (work) => {
      commands = []
      bytesSent = bytesReceived = roundTrips = 0
      answered = true
      await work()
      return { commands: [...commands], bytesSent, bytesReceived, roundTrips }
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Reads the arrays of bulk strings that every client sends, however the bytes are cut. */
function commandReader(tell: (name: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (let at = 0; ; ) {
      const end = endOfCommand(rest, at)
      if (end === undefined) {
        rest = rest.subarray(at)
        return
      }
      const name = /^\*\d+\r\n\$\d+\r\n([^\r]*)/.exec(
        rest.toString('latin1', at, Math.min(end.at, at + 80)),
      )?.[1]
      tell((name ?? '?').toUpperCase())
      at = end.at
    }
  }
}

function endOfCommand(bytes: Buffer, start: number): { at: number } | undefined {
  const line = (from: number) => bytes.indexOf('\r\n', from)
  let lineEnd = line(start)
  if (lineEnd < 0) return undefined
  let left = Number(bytes.toString('latin1', start + 1, lineEnd))
  let at = lineEnd + 2
  for (; left > 0; left--) {
    lineEnd = line(at)
    if (lineEnd < 0) return undefined
    at = lineEnd + 2 + Number(bytes.toString('latin1', at + 1, lineEnd)) + 2
    if (at > bytes.length) return undefined
  }
  return { at }
}
