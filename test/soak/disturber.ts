// What goes wrong while a soak runs.

import { ask, type Topology, type TopologyNode, until } from '../../tools/servers/topology.mjs'
import type { HostClock } from '../../tools/testing/host-clock.js'
import { COMMAND_TIMEOUT_MS } from './node.js'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Disturbs a master and its replicas behind sentinels. */
export class Disturber {
  readonly #topology: Topology
  readonly #hosts: readonly HostClock[]
  readonly #done = new Map<string, number>()

  /** @param hosts Clocks of the hosts on which the nodes run. */
  constructor(topology: Topology, hosts: readonly HostClock[]) {
    this.#topology = topology
    this.#hosts = hosts
  }

  /** How often each was done. */
  get done(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#done)
  }

  async cutConnections(): Promise<void> {
    await ask((await this.#master()).port, ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    this.#count('connections cut')
  }

  async flushScripts(): Promise<void> {
    await ask((await this.#master()).port, ['SCRIPT', 'FLUSH'])
    this.#count('scripts flushed')
  }

  /** Shorter than a sentinel takes to give a master up: one that was given up and comes back answers what is no longer true. */
  async stall(): Promise<void> {
    const master = await this.#master()
    master.pause()
    await sleep(400)
    // On a machine that does a lot else this was long enough to give it up: nobody may be connected when it wakes up.
    if ((await this.#master()) !== master) await sleep(2 * COMMAND_TIMEOUT_MS)
    master.resume()
    await until('both replicas', () => this.#hasReplicas(), { timeoutMs: 60_000, everyMs: 50 })
    this.#count('master stalled')
  }

  async silenceReplica(): Promise<void> {
    const master = await this.#master()
    const replica = this.#servers().find((item) => item !== master)
    replica?.pause()
    await sleep(400)
    replica?.resume()
    this.#count('replica silent')
  }

  /** Somebody sets the clock of a host, perhaps a day ahead or an hour back. */
  async setHostClock(below: (n: number) => number): Promise<void> {
    this.#hosts[below(this.#hosts.length)]?.set(
      [0, 500, -5_000, 70_000, -3_600_000, 86_400_000][below(6)] ?? 0,
    )
    this.#count('host clocks set')
  }

  /** Nothing that may grow is taken for a while. */
  async fillUp(): Promise<void> {
    const { port } = await this.#master()
    await ask(port, ['CONFIG', 'SET', 'maxmemory', '1'])
    await sleep(600)
    await ask(port, ['CONFIG', 'SET', 'maxmemory', '0'])
    this.#count('server full')
  }

  /** The master says nothing more and closes nothing: another takes over. It wakes up when nobody is connected to it any more. */
  async freeze(leaveMs: number): Promise<void> {
    const old = await this.#master()
    old.pause()
    try {
      await until('another master', async () => (await this.#master()) !== old || undefined, {
        timeoutMs: 20_000,
        everyMs: 50,
      })
      await sleep(leaveMs)
    } finally {
      old.resume()
    }
    await until('both replicas', () => this.#hasReplicas(), { timeoutMs: 60_000, everyMs: 50 })
    this.#count('master frozen')
  }

  /** The master is killed, another takes over, the old one comes back as its replica. */
  async failOver(): Promise<void> {
    const old = await this.#master()
    await old.stop({ crash: true })
    await until('another master', async () => (await this.#master()) !== old || undefined, {
      timeoutMs: 20_000,
      everyMs: 50,
    })
    await old.start()
    await until('both replicas', () => this.#hasReplicas(), { timeoutMs: 30_000, everyMs: 50 })
    this.#count('failovers')
  }

  async #hasReplicas(): Promise<boolean> {
    const info = await ask((await this.#master()).port, ['INFO', 'replication'])
    return (info.match(/state=online/g) ?? []).length === 2
  }

  #servers(): readonly TopologyNode[] {
    return this.#topology.nodes.slice(0, 3)
  }

  async #master(): Promise<TopologyNode> {
    const [sentinel] = this.#topology.sentinels
    const said = await ask(sentinel?.port as number, [
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      this.#topology.name,
    ])
    const port = Number(/\r\n(\d+)\r\n$/.exec(said)?.[1] ?? said.match(/\d{4,5}/g)?.at(-1))
    const node = this.#topology.byPort(port)
    if (node === undefined) throw new Error(`there is no node at ${port}: ${said}`)
    return node
  }

  #count(what: string): void {
    this.#done.set(what, (this.#done.get(what) ?? 0) + 1)
  }
}
