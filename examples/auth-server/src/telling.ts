import {
  type ApplicationNodeProvider,
  applicationNodeSpi,
  type ClientTargets,
  memoryApplicationNodes,
} from '@authstate/application-node'
import { announceEndings, redisApplicationNodes } from '@authstate/application-node/redis'
import { undiciHttpClient } from '@authstate/http-client'
import type { AuthState, AuthStateConfig } from 'authstate'
import { redisConnectionSpi } from 'authstate/redis'
import { SignJWT } from 'jose'
import type { AuthServerOptions, Client } from './config.js'
import { ALGORITHM, readSigningKey } from './signing-key.js'

// An application keeps sessions of its own. What ends here it has to be told: that a session ended, that all did, that tokens are
// refused that were issued before. Nobody who signs out waits for it.

/** Of `redis.changes.consumers`: the step that ends a session notes it for whoever tells the applications. */
export const ENDINGS: {
  readonly name: string
  readonly kinds: string[]
  readonly notes: 'endings'
  readonly details: true
} = { name: 'application-node', kinds: ['user-session'], notes: 'endings', details: true }

/** Providers that tell the applications, to be given to `createAuthState`; on Redis beside {@link ENDINGS}. */
export async function tellingProviders(
  options: Pick<AuthServerOptions, 'issuer' | 'clients'> & Required<Pick<AuthServerOptions, 'signingKey'>>,
  store: 'memory' | 'redis',
): Promise<NonNullable<AuthStateConfig['providers']>> {
  const key = await readSigningKey(options.signingKey)
  const applicationNodes = store === 'redis' ? redisApplicationNodes : memoryApplicationNodes
  return [
    undiciHttpClient(),
    applicationNodes({
      clients: (_realmId, clientId) =>
        targetsOf(options.clients.find((client) => client.clientId === clientId)),
      clientIds: () => options.clients.filter(isTold).map(({ clientId }) => clientId),
      issuer: () => options.issuer,
      sign: (claims, { typ }) =>
        new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: key.kid, typ }).sign(key.privateKey),
    }),
  ]
}

/** Whether a client says where it can be told anything. */
const isTold = ({ backchannelLogoutUri, managementUrl }: Client): boolean =>
  backchannelLogoutUri !== undefined || managementUrl !== undefined

function targetsOf(client: Client | undefined): ClientTargets | undefined {
  if (client === undefined) return undefined
  const { backchannelLogoutUri, managementUrl, nodes = {} } = client
  return { backchannelLogoutUri, managementUrl, everyNode: true, ...nodes }
}

/** What became of something that applications were told. */
export interface Told {
  readonly what: string
  /** A line per message. */
  readonly lines: readonly string[]
}

/** How long a page of an administrator waits for applications. */
const PAGE_WAIT_MS = 2_000

/** Tells the applications of one realm. */
export class Telling {
  readonly nodes: ApplicationNodeProvider
  readonly #state: AuthState
  readonly #realmId: string
  readonly #clients: readonly Client[]

  constructor(nodes: ApplicationNodeProvider, state: AuthState, realmId: string, clients: readonly Client[]) {
    this.nodes = nodes
    this.#state = state
    this.#realmId = realmId
    this.#clients = clients
  }

  /**
   * From now on every session that ends is told, by whatever way it ends. On Redis each node reads what any of them ended, so that a node
   * that dies loses nothing; in memory there is one node.
   */
  begin(): void {
    const connection = this.#state.find(redisConnectionSpi)
    if (connection !== undefined) {
      // It ends with the connection, which the state closes.
      announceEndings(connection, this.nodes)
      return
    }
    this.#state.userSessions.on('removed', async ({ realmId, sessionId, userId, clientIds, at, offline }) => {
      if (offline || userId === undefined || realmId !== this.#realmId) return
      const clients = clientIds.map((clientId) => ({ clientId }))
      await this.nodes.announce(realmId, { type: 'session-ended', userId, sessionId, at, clients })
    })
  }

  /** Everybody's sessions ended. Where they ended they are told one by one; an action of Keycloak says it once, with a not-before. */
  everybodyEnded(at: number): Promise<Told> {
    return this.#tell('Sign everybody out', { type: 'all-sessions-ended', at })
  }

  /** Applications refuse what was issued before, and get new tokens. Here nothing changes: each use of a token asks for its session. */
  notBefore(notBefore: number): Promise<Told> {
    return this.#tell('Refuse older tokens', { type: 'not-before-raised', notBefore })
  }

  async #tell(what: string, announcement: Parameters<ApplicationNodeProvider['announce']>[1]): Promise<Told> {
    // A logout token cannot say this: who takes nothing else is not asked.
    const clientIds = this.#clients
      .filter(({ managementUrl }) => managementUrl !== undefined)
      .map(({ clientId }) => clientId)
    const { deliveryId } = await this.nodes.announce(this.#realmId, announcement, { clientIds })
    const delivery = await this.nodes.settled(this.#realmId, deliveryId, { waitMs: PAGE_WAIT_MS })
    const lines = delivery?.targets.map(
      ({ clientId, host, state, reason, attempts }) =>
        `${clientId} at ${host ?? 'no host'}: ${state}${reason === undefined ? '' : `, ${reason}`} (sent ${attempts} times)`,
    )
    return { what, lines: lines ?? [] }
  }
}

/** Tells the applications, where the state was made with {@link tellingProviders}. */
export function createTelling(
  { state, clients }: Pick<AuthServerOptions, 'state' | 'clients'>,
  realmId: string,
): Telling | undefined {
  const nodes = state.find(applicationNodeSpi)
  if (nodes === undefined) return undefined
  const telling = new Telling(nodes, state, realmId, clients)
  telling.begin()
  return telling
}
