// What these tests use of oidc-provider, which brings no types.
import type { IncomingMessage, ServerResponse } from 'node:http'

interface Interaction {
  readonly prompt: { readonly name: string }
  readonly params: { readonly client_id: string; readonly scope: string }
  readonly session?: { readonly accountId: string }
}

interface Grant {
  addOIDCScope(scope: string): void
  save(): Promise<string>
}

export interface ProviderClass {
  new (
    issuer: string,
    configuration: object,
  ): {
    readonly Grant: new (grant: object) => Grant
    readonly RefreshToken: new (token: object) => { save(): Promise<string> }
    readonly Client: { find(clientId: string): Promise<object | undefined> }
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
    /** Listens to what it did: `backchannel.success`. */
    on(event: string, listener: () => unknown): unknown
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>
  }
}
