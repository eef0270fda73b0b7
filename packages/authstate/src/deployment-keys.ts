import { answerNodes, askNodes } from '@authstate/cluster/nodes'
import {
  assertInteger,
  assertName,
  assertOptions,
  ConfigurationError,
  type Keyring,
  type Known,
} from '@authstate/spi'
import { isPlainObject, type LiveKeyring } from '@authstate/spi/internal'
import type { AuthState } from './auth-state.js'
import { type ClusterProvider, clusterSpi } from './spis.js'

/** What came of the wish to use a key. */
export type KeyOutcome =
  /** Every node makes new values with it from now on. */
  | { readonly outcome: 'used' }
  /** Nothing was changed: these living nodes do not have the key, have another one of its id, or did not answer. */
  | { readonly outcome: 'missing'; readonly nodes: readonly string[] }

/** The keys of the keyring, which can be changed while the deployment runs. See docs/keys.md. */
export interface DeploymentKeys {
  /** Pass it to everything else that takes a keyring, such as the cookies of logins: it follows a rotation. */
  readonly keyring: Keyring
  /** Id of the key that makes new values in this process. */
  readonly current: string
  /** Ids of all keys of this process. */
  readonly ids: readonly string[]

  /**
   * Adds a key with which this process reads what others make. Call it on every node, with the secret from where secrets of
   * yours are: it never travels. Safe to repeat.
   *
   * @throws {ConfigurationError} the id or the secret cannot be, or the id names another secret
   */
  add(id: string, secret: string | Uint8Array): void

  /**
   * Makes new values with a key, on every node, once each of them has it: call it on one node, and again while it answers
   * `'missing'`. The key before it goes on reading.
   *
   * @param options.waitMs How long other nodes may take to answer, 1 to 60 000 ms. @default 2000
   * @throws {ConfigurationError} this process does not have the key
   * @throws {StoreUnavailableError} the other nodes could not be reached: call it again, it is safe to repeat
   */
  use(id: string, options?: { readonly waitMs?: number | undefined }): Promise<KeyOutcome>

  /**
   * Forgets a key in this process: what was made with it can no longer be read. Call it on every node once nothing of it lives.
   *
   * @returns whether it was there
   * @throws {ConfigurationError} it makes new values
   */
  remove(id: string): boolean
}

const OPTIONS: Known<{ waitMs?: number }> = { waitMs: true }
const TOPICS = { topic: 'authstate.keys?', answers: 'authstate.keys' }
const ORDERS = 'authstate.keys!'

/** Keys of a running state, which from now on answers other nodes and does as they say. */
export function deploymentKeys(state: AuthState, keyring: LiveKeyring): DeploymentKeys {
  const cluster = state.find(clusterSpi)
  const has = (id: unknown, fingerprint: unknown): id is string =>
    typeof id === 'string' && fingerprint !== undefined && keyring.fingerprint(id) === fingerprint
  if (cluster !== undefined) {
    answerNodes(cluster, TOPICS, ({ id, fingerprint }) => [{ has: has(id, fingerprint) }])
    cluster.subscribe<unknown>(ORDERS, (event) => {
      if (isPlainObject(event) && has(event['id'], event['fingerprint'])) keyring.use(event['id'])
    })
  }
  return {
    keyring,
    get current() {
      return keyring.current
    },
    get ids() {
      return Object.keys(keyring.keys)
    },
    add: (id, secret) => {
      assertName(id, 'id')
      keyring.add(id, secret)
    },
    async use(id, options = {}) {
      assertName(id, 'id')
      assertOptions(options, 'options', OPTIONS)
      const { waitMs = 2_000 } = options
      assertInteger(waitMs, 'options.waitMs', 1, 60_000)
      const fingerprint = keyring.fingerprint(id)
      if (fingerprint === undefined) {
        throw new ConfigurationError(
          `keyring.keys: this process has no key ${JSON.stringify(id)}; add it first`,
        )
      }
      const now = state.find(clusterSpi)
      if (now !== undefined) {
        const nodes = await nodesWithout(now, { id, fingerprint }, waitMs)
        if (nodes.length > 0) return { outcome: 'missing', nodes }
        await now.publish(ORDERS, { id, fingerprint }, { scope: 'others' })
      }
      keyring.use(id)
      return { outcome: 'used' }
    },
    remove: (id) => {
      assertName(id, 'id')
      return keyring.remove(id)
    },
  }
}

/** Names of living nodes that do not say in time that they have a key. */
async function nodesWithout(
  cluster: ClusterProvider,
  key: { readonly id: string; readonly fingerprint: string },
  waitMs: number,
): Promise<readonly string[]> {
  const having = new Set<string>()
  const { answered, silent } = await askNodes(cluster, { ...TOPICS, content: key, waitMs }, (node, event) => {
    if (event['has'] === true) having.add(node)
    return true
  })
  return [...answered.filter(({ incarnation }) => !having.has(incarnation)), ...silent]
    .map(({ name }) => name)
    .sort()
}
