// Moves hash slots between the masters of a Cluster, as redis-cli does: key by key, while it is in use.
import type { Redis } from 'ioredis'

/**
 * Moves a slot from the master that has it to the next one.
 *
 * @param pause Awaited before the first key and between keys: traffic goes on.
 * @returns how many keys were moved
 */
export async function moveSlot(
  masters: readonly Redis[],
  slot: number,
  pause: () => Promise<unknown>,
): Promise<number> {
  const ids = await Promise.all(masters.map(async (item) => String(await item.call('CLUSTER', 'MYID'))))
  const owner = ids.indexOf(await ownerOf(masters[0] as Redis, slot))
  const next = (owner + 1) % masters.length
  const [source, target] = [masters[owner] as Redis, masters[next] as Redis]
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[owner] as string)
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[next] as string)
  const { host = '', port = 0 } = target.options
  let moved = 0
  await pause()
  for (;;) {
    const [key] = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 1)) as string[]
    if (key === undefined) break
    // Without REPLACE: a key that is on both sides is an error.
    await source.call('MIGRATE', host, port, key, 0, 5_000)
    moved += 1
    await pause()
  }
  await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[next] as string)
  for (const item of masters)
    if (item !== target) await item.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[next] as string)
  return moved
}

/** Id of the node that serves a slot. */
async function ownerOf(node: Redis, slot: number): Promise<string> {
  const ranges = (await node.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
  const range = ranges.find(([from, to]) => from <= slot && slot <= to)
  if (range === undefined) throw new Error(`nobody serves slot ${slot}`)
  return range[2][2]
}
