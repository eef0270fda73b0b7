import { type BatchableStream, internals, type RedisClient } from './client.js'

/** Commands after which a batch is flushed within one turn of the event loop. */
export const BATCH_SIZE = 8

/**
 * Collects the socket writes of one tick: ioredis writes each command on its own, which costs a system call each.
 *
 * A batch goes out after every `size` commands and at the end of the tick, so a lone command is not delayed. Works
 * for one server, Sentinel and each node of a Cluster, and over reconnects.
 */
export function batchWrites(client: RedisClient, size: number = BATCH_SIZE): void {
  if (client.isCluster) {
    for (const node of internals(client).nodes?.('all') ?? []) batchWrites(node, size)
    client.on('+node', (node: RedisClient) => batchWrites(node, size))
    return
  }
  const armed = new WeakSet<BatchableStream>()
  const arm = () => {
    const stream = internals(client).stream
    if (stream && !armed.has(stream)) {
      armed.add(stream)
      batchStream(stream, size)
    }
  }
  client.on('connect', arm)
  arm()
}

function batchStream(stream: BatchableStream, size: number): void {
  const write = stream.write
  let commands = 0
  const endOfTick = () => {
    commands = 0
    stream.uncork()
  }
  stream.write = (...args: never[]) => {
    if (commands === 0) {
      stream.cork()
      process.nextTick(endOfTick)
    }
    commands += 1
    const accepted = write.apply(stream, args)
    if (commands % size === 0) {
      stream.uncork()
      stream.cork()
    }
    return accepted
  }
}
