import { timers } from '@authstate/spi/internal'
import { type BatchableStream, internals, type RedisClient } from './client.js'
import { listen } from './listen.js'
import { shared } from './shared.js'

/** Commands after which a batch is flushed within one turn of the event loop. */
export const BATCH_SIZE = 16

const batched = shared('batched', () => new WeakSet<BatchableStream>())

/**
 * Collects the socket writes of one tick: ioredis writes each command on its own, which costs a system call each.
 *
 * A batch goes out after every `size` commands and at the end of the tick, so a lone command is not delayed. Works
 * for one server, Sentinel and each node of a Cluster, and over reconnects.
 *
 * @returns how to stop; a socket that is open then goes on in batches until it ends
 */
export function batchWrites(client: RedisClient, size: number = BATCH_SIZE): () => void {
  if (client.isCluster) {
    const onNode = (node: RedisClient) => batchWrites(node, size)
    for (const node of internals(client).nodes?.('all') ?? []) onNode(node)
    return listen(client, '+node', onNode)
  }
  const onConnect = () => {
    const { stream } = internals(client)
    if (!stream || batched.has(stream)) return
    batched.add(stream)
    batchStream(stream, size)
  }
  const stop = listen(client, 'connect', onConnect)
  onConnect()
  return stop
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
      timers.nextTick(endOfTick)
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
