import { lookup } from 'node:dns/promises'
import { timers } from '@authstate/spi/internal'
import { type EgressPolicy, isAllowed } from './addresses.js'
import { HttpError, systemCode } from './errors.js'
import { type IpAddress, parseAddress } from './hosts.js'
import type { Target } from './transport.js'

/** Answers the addresses of a name, in the order in which they are to be tried. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** As the host system resolves names: `/etc/hosts` counts. */
export const systemResolve: Resolve = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address)

/** An address that passed the guard. */
export interface CheckedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Looks names up and checks what comes: the guard of everything that is sent. */
export class LookUps {
  readonly #resolve: Resolve
  readonly #patienceMs: number
  // The host system has few threads for look-ups: many connections to one name must not take them all.
  readonly #running = new Map<string, Promise<readonly string[]>>()

  /** @param patienceMs If a look-up takes longer, later requests do not wait for it: they look the name up again. */
  constructor(resolve: Resolve, patienceMs: number) {
    this.#resolve = resolve
    this.#patienceMs = patienceMs
  }

  /**
   * The addresses of a target, each of which may be connected to.
   *
   * @throws {HttpError} `'connect'`: the name has none. `'egress'`: one of them is not allowed
   */
  async addressesOf({ host, port }: Target, policy: EgressPolicy): Promise<readonly CheckedAddress[]> {
    const found = host.address === undefined ? await this.#ask(host.text) : [host.text]
    if (found.length === 0)
      throw new HttpError('connect', { sent: 'no', host: host.text, detail: 'the name has no address' })
    return found.map((text) => {
      const address = parseAddress(text)
      if (address === undefined || !isAllowed(address, port, policy))
        throw new HttpError('egress', { sent: 'no', host: host.text, detail: 'its address or port' })
      return checked(address)
    })
  }

  async #ask(name: string): Promise<readonly string[]> {
    try {
      const addresses: unknown = await (this.#running.get(name) ?? this.#begin(name))
      if (Array.isArray(addresses) && addresses.every((item) => typeof item === 'string')) return addresses
    } catch (error) {
      throw new HttpError('connect', { sent: 'no', host: name, detail: systemCode(error) })
    }
    throw new HttpError('connect', { sent: 'no', host: name, detail: 'the resolver answers no addresses' })
  }

  #begin(name: string): Promise<readonly string[]> {
    // Within a function that is async: a resolver may throw before it answers a promise.
    const running = (async () => this.#resolve(name))()
    this.#running.set(name, running)
    const forget = (): void => {
      timers.clearTimeout(timer)
      if (this.#running.get(name) === running) this.#running.delete(name)
    }
    const timer = timers.setTimeout(forget, this.#patienceMs)
    timer.unref()
    running.then(forget, forget)
    return running
  }
}

const checked = (address: IpAddress): CheckedAddress => ({
  address: address.toString(),
  family: address.kind() === 'ipv4' ? 4 : 6,
})
