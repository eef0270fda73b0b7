import {
  assertInteger,
  assertName,
  assertOptions,
  ConfigurationError,
  type Keyring,
  type Known,
  randomId,
} from '@authstate/spi'
import { isPlainObject, type LiveKeyring, timers } from '@authstate/spi/internal'
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
  /** What takes a keyring besides the state, such as the cookies of logins, follows with this one. */
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
   * @throws {StoreUnavailableError} the others could not be asked, or told: call it again, it is safe to repeat
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
const QUESTIONS = 'authstate.keys?'
const ANSWERS = 'authstate.keys'
const ORDERS = 'authstate.keys!'

/** Keys of a running state, which from now on answers other nodes and does as they say. */
export function deploymentKeys(state: AuthState, keyring: LiveKeyring): DeploymentKeys {
  const cluster = state.find(clusterSpi)
  const has = (id: unknown, fingerprint: unknown): id is string =>
    typeof id === 'string' && fingerprint !== undefined && keyring.fingerprint(id) === fingerprint
  if (cluster !== undefined) {
    cluster.subscribe<unknown>(QUESTIONS, async (event) => {
      if (!isPlainObject(event)) return
      const { question, id, fingerprint } = event
      // Who asked has a time-out.
      await cluster
        .publish(ANSWERS, { to: question, has: has(id, fingerprint) }, { scope: 'others' })
        .catch(() => {})
    })
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
  const question = randomId()
  const { nodes } = await cluster.refresh()
  const missing = new Map(nodes.map(({ incarnation, name }) => [incarnation, name]))
  missing.delete(cluster.node.incarnation)
  if (missing.size === 0) return []
  const denied = new Set<string>()
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const stop = cluster.subscribe<unknown>(ANSWERS, (event, { sender: { incarnation } }) => {
    if (!isPlainObject(event) || event['to'] !== question) return
    if (event['has'] === true) missing.delete(incarnation)
    else denied.add(incarnation)
    if ([...missing.keys()].every((left) => denied.has(left))) end()
  })
  const timer = timers.setTimeout(end, waitMs)
  try {
    await cluster.publish(QUESTIONS, { question, ...key }, { scope: 'others' })
    await over
  } finally {
    timers.clearTimeout(timer)
    stop()
  }
  return [...missing.values()].sort()
}
