import { createHash } from 'node:crypto'
import type { ProviderContext, Realm } from '@authstate/spi'
import { mapAnswer } from '@authstate/spi/internal'
import { type IpAddress, networkOf } from './address.js'
import { type AddressRule, addressRuleOf, type LoginFailureConfig } from './config.js'
import type { Rule } from './counting.js'
import { KnownPolicies, type Policy } from './policy.js'
import type { Policies, Subject } from './store.js'

/** The subject of a login: a user, or a name without a user. */
export type Who = { readonly userId: string } | { readonly username: string | undefined }

/** What the settings are called in an error. */
const PLACE = 'realms(realmId).bruteForce'

/** Says whose failures count in an attempt, and by which policy. */
export class RuleBook {
  readonly #context: ProviderContext
  readonly #address: AddressRule | undefined
  readonly #known = new KnownPolicies()

  constructor(context: ProviderContext, config: LoginFailureConfig) {
    this.#context = context
    this.#address = addressRuleOf(config)
  }

  /** The rules of an attempt, the user's first. None where the realm is not protected. At once where its settings are at hand. */
  of(realmId: string, who: Who | undefined, ip: IpAddress | undefined): Rule[] | Promise<Rule[]> {
    return mapAnswer(this.#context.realm(realmId), (realm) => this.#rules(realmId, realm, who, ip))
  }

  #rules(realmId: string, { bruteForce }: Realm, who: Who | undefined, ip: IpAddress | undefined): Rule[] {
    const policy = this.#known.of(bruteForce, PLACE)
    const rules: Rule[] = []
    if (policy === undefined) return rules
    if (who !== undefined) {
      const subject: Subject =
        'userId' in who
          ? { realmId, rule: 'user', id: who.userId }
          : { realmId, rule: 'user', id: decoyId(who.username, ip), decoy: true }
      rules.push({ subject, policy })
    }
    const network = ip && this.network(realmId, ip)
    if (network !== undefined && this.#address !== undefined) {
      rules.push({ subject: network, policy: this.#address.policy })
    }
    return rules
  }

  /**
   * The policies of a realm as of now.
   *
   * @throws {TypeError | RangeError} the realm's settings are wrong; the message names the one that is
   */
  async policiesOf(realmId: string): Promise<Policies> {
    const { bruteForce } = await this.#context.realm(realmId)
    const user: Policy | undefined = this.#known.of(bruteForce, PLACE)
    return { user, address: user && this.#address?.policy }
  }

  /** The network of an address. `undefined` where addresses are not counted. */
  network(realmId: string, ip: IpAddress): Subject | undefined {
    if (this.#address === undefined) return undefined
    return { realmId, rule: 'address', id: networkOf(ip, this.#address) }
  }
}

/** A digest: people type passwords where the name belongs, and no name that is not ours shall lie in a store. */
function decoyId(username: string | undefined, ip: IpAddress | undefined): string {
  const text = username === undefined ? `address ${ip ?? ''}` : `name ${username}`
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
