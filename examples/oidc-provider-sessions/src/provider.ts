// What this example uses of oidc-provider. Its types are a package of their own, @types/oidc-provider.
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as oidc from 'oidc-provider'

export interface Session {
  readonly uid: string
  readonly accountId?: string
}

interface Interaction {
  readonly prompt: { readonly name: string }
  readonly params: { readonly client_id: string; readonly scope: string }
  readonly session?: { readonly accountId: string }
}

interface Grant {
  addOIDCScope(scope: string): void
  save(): Promise<string>
}

export interface OpenIdProvider {
  readonly Grant: new (grant: object) => Grant
  readonly Session: { get(context: object): Promise<Session> }
  createContext(request: IncomingMessage, response: ServerResponse): object
  interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
  callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
}

interface ProviderClass {
  readonly ctx: unknown
  new (issuer: string, configuration: object): OpenIdProvider
}

export const Provider = oidc.default as unknown as ProviderClass
