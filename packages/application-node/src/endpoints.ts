import {
  assertBoolean,
  assertFunction,
  assertName,
  assertObject,
  assertOptions,
  ConfigurationError,
  consoleLogger,
  Emitter,
  type Known,
} from '@authstate/spi'
import { bodyText, isPlainObject } from '@authstate/spi/internal'
import type { ApplicationNodeProvider, RegisterOutcome } from './contract.js'

/** The client that sent a request and proved its identity. */
export interface NodeClient {
  readonly realmId: string
  readonly clientId: string
  /** It proved nothing, because it has no secret: it may have no nodes. @default false */
  readonly isPublic?: boolean | undefined
}

/** Why a request is refused before anybody asks whose it is. */
export interface NodeClientRefusal {
  /** `https-required`: it came unencrypted where the realm does not allow that. */
  readonly refused: 'https-required' | 'realm-disabled'
}

/** What the endpoints need of the application. */
export interface NodeEndpointOptions {
  /**
   * Returns the client that sent a request, as your token endpoint finds it: by `Authorization`, or
   * by fields of the form such as `client_assertion`. The body of the request was read: `form` has
   * it. `undefined` for a client that did not prove its identity.
   */
  readonly authenticate: (
    request: Request,
    form: URLSearchParams,
  ) => NodeClient | NodeClientRefusal | undefined | Promise<NodeClient | NodeClientRefusal | undefined>
  /** Called with the result of a request whose client is known. */
  readonly onNode?: ((event: NodeRequestEvent) => unknown) | undefined
  /** Called with an error that was answered with 500 or 503. */
  readonly onError?: ((error: unknown) => unknown) | undefined
}

/** What became of a request to register or unregister a node. */
export interface NodeRequestEvent {
  readonly type: 'register-node' | 'unregister-node'
  readonly realmId: string
  readonly clientId: string
  /** What the client sent: with a refusal it may be anything. */
  readonly host: string
  readonly outcome: RegisterOutcome['outcome'] | 'unregistered' | 'unknown'
  /** Why it was refused. */
  readonly reason?: Extract<RegisterOutcome, { readonly outcome: 'refused' }>['reason'] | undefined
}

/** Takes a request and answers it, whatever it is. */
export type NodeEndpoint = (request: Request) => Promise<Response>

/** The endpoints at which nodes of clients make themselves known. They answer a `Request` with a `Response`, and never throw. */
export interface NodeEndpoints {
  /** `POST …/clients-managements/register-node`, with `client_cluster_host`. */
  readonly registerNode: NodeEndpoint
  /** `POST …/clients-managements/unregister-node`, with `client_cluster_host`. */
  readonly unregisterNode: NodeEndpoint
}

const OPTIONS: Known<NodeEndpointOptions> = { authenticate: true, onNode: true, onError: true }

/** Longest body, bytes. A client assertion is the longest part of it. */
const MOST_BODY_BYTES = 65_536
/** When a node may try again, seconds. */
const RETRY_AFTER_S = 5

/**
 * The endpoints of Keycloak's server for nodes of clients, over the registry of nodes: what `createNodeRegistration` of
 * `@authstate/token-store` and Keycloak's own adapters send to.
 *
 * @throws {TypeError} an option is wrong
 */
export function createNodeEndpoints(
  nodes: Pick<ApplicationNodeProvider, 'register' | 'unregister'>,
  options: NodeEndpointOptions,
): NodeEndpoints {
  assertObject(nodes, 'nodes')
  assertFunction(nodes.register, 'nodes.register')
  assertFunction(nodes.unregister, 'nodes.unregister')
  assertOptions<NodeEndpointOptions>(options, 'options', OPTIONS)
  const { authenticate, onNode, onError } = options
  assertFunction(authenticate, 'authenticate')
  const events = new Emitter<{
    node: { type: 'node'; event: NodeRequestEvent }
    error: { type: 'error'; error: unknown }
  }>({ owner: 'application-node', events: ['node', 'error'], logger: consoleLogger })
  if (onNode !== undefined) {
    assertFunction(onNode, 'onNode')
    events.on('node', ({ event }) => onNode(event as NodeRequestEvent))
  }
  if (onError !== undefined) {
    assertFunction(onError, 'onError')
    events.on('error', ({ error }) => onError(error))
  }
  const endpoint =
    (type: NodeRequestEvent['type'], act: Act): NodeEndpoint =>
    async (request) => {
      try {
        const asked = await readRequest(request, authenticate as NodeEndpointOptions['authenticate'])
        if (asked instanceof Response) return asked
        const became = await act(asked)
        events.emit('node', { event: { type, ...asked, ...became } })
        return became.outcome === 'refused' ? refusal('Client cluster host not allowed') : done()
      } catch (error) {
        events.emit('error', { error })
        return error instanceof ConfigurationError ? misconfigured() : unavailable()
      }
    }
  return {
    registerNode: endpoint('register-node', async ({ realmId, clientId, host }) => {
      const became = await nodes.register(realmId, clientId, { host })
      return became.outcome === 'refused' ? became : { outcome: became.outcome }
    }),
    unregisterNode: endpoint('unregister-node', async ({ realmId, clientId, host }) => ({
      outcome: (await nodes.unregister(realmId, clientId, host)) ? 'unregistered' : 'unknown',
    })),
  }
}

type Act = (asked: Asked) => Promise<Pick<NodeRequestEvent, 'outcome' | 'reason'>>

/** What a request asks for. */
interface Asked {
  readonly realmId: string
  readonly clientId: string
  readonly host: string
}

/**
 * The checks, in the order of Keycloak: the client before its parameters, so that no other caller learns what
 * is wrong with them.
 */
async function readRequest(
  request: Request,
  authenticate: NodeEndpointOptions['authenticate'],
): Promise<Asked | Response> {
  if (request.method !== 'POST') return answer(405, undefined, { allow: 'POST' })
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';')
  const isForm = type.trim().toLowerCase() === 'application/x-www-form-urlencoded'
  const body = isForm ? await bodyText(request, MOST_BODY_BYTES) : undefined
  if (body === undefined) return refusal('The body must be a form')
  const form = new URLSearchParams(body)
  const client: unknown = await authenticate(request, form)
  if (client === undefined) return unauthorized()
  if (!isPlainObject(client)) throw new TypeError('"authenticate" must return a client, a refusal or nothing')
  const { refused, realmId, clientId, isPublic } = client
  if (refused === 'https-required') return answer(403, ['invalid_request', 'HTTPS required'])
  if (refused === 'realm-disabled') return unauthorized('Realm not enabled')
  if (refused !== undefined)
    throw new TypeError('"authenticate" may refuse with "https-required" or "realm-disabled"')
  assertName(realmId, 'realmId')
  assertName(clientId, 'clientId')
  if (isPublic !== undefined) assertBoolean(isPublic, 'isPublic')
  if (isPublic) return answer(400, ['invalid_client', 'Public clients not allowed'])
  const [host = '', ...more] = form.getAll('client_cluster_host')
  if (host === '' || more.length > 0) return refusal('Client cluster host not specified')
  return { realmId, clientId, host }
}

function answer(
  status: number,
  error?: readonly [code: string, description: string],
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = error && JSON.stringify({ error: error[0], error_description: error[1] })
  return new Response(body, {
    status,
    headers: {
      'cache-control': 'no-store',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
  })
}

const done = (): Response => answer(204)

const refusal = (description: string): Response => answer(400, ['invalid_request', description])

const unauthorized = (description = 'The client did not prove its identity'): Response =>
  answer(401, ['invalid_client', description], { 'www-authenticate': 'Basic realm="clients-managements"' })

/** What the administrator said of the client is wrong: trying again does not help, and nothing of it is the client's business. */
const misconfigured = (): Response =>
  answer(500, ['server_error', 'The client cannot have nodes as it is configured'])

const unavailable = (): Response =>
  answer(503, ['temporarily_unavailable', 'Try again later'], { 'retry-after': String(RETRY_AFTER_S) })
