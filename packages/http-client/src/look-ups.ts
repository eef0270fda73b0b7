import { lookup } from 'node:dns/promises'
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
  // The host system has few threads for look-ups: many connections to one name must not take them all.
  readonly #running = new Map<string, Promise<readonly string[]>>()

  constructor(resolve: Resolve) {
    this.#resolve = resolve
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
    let running = this.#running.get(name)
    if (running === undefined) {
      running = this.#resolve(name)
      this.#running.set(name, running)
      const forget = () => void this.#running.delete(name)
      running.then(forget, forget)
    }
    try {
      return await running
    } catch (error) {
      throw new HttpError('connect', { sent: 'no', host: name, detail: systemCode(error) })
    }
  }
}

const checked = (address: IpAddress): CheckedAddress => ({
  address: address.toString(),
  family: address.kind() === 'ipv4' ? 4 : 6,
})
