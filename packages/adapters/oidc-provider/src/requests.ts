import type { ServerResponse } from 'node:http'
import { objectOf } from './models.js'

/** What is used of the request that oidc-provider works on. */
export interface RequestContext {
  readonly res: ServerResponse
  readonly oidc: {
    /** `'token'`, `'authorization'`, `'resume'` ... */
    readonly route: string
    readonly entities: Readonly<
      Record<string, { readonly jti?: string; destroy(): Promise<void> } | undefined>
    >
    readonly provider: { emit(event: string, ...args: unknown[]): unknown }
  }
}

/** A session as a request loaded it. */
export interface LoadedSession {
  readonly id: string
  readonly uid: string
  readonly userId: string | undefined
  /** Ms since the epoch, by the clock of the provider. */
  readonly authenticatedAt: number | undefined
}

/** What the adapter saw of one request. */
export interface RequestMemory {
  readonly context: RequestContext
  session?: LoadedSession
  /** Whether the loaded session had ended when the request was about to give it another id. */
  isSessionGone?: boolean
  /** The user who signed in, in the interaction that the request continues, and when. */
  signIn?: { readonly accountId: string; readonly finishedAt: number }
  /** The refresh token that this request redeems. */
  redeems?: string
}

type ProviderClass = { readonly ctx: unknown }

/** The requests that oidc-provider works on now. */
export class Requests {
  readonly #memories = new WeakMap<object, RequestMemory>()
  #Provider: Promise<ProviderClass | undefined> | undefined

  /** @param Provider Left out: that of the package. */
  constructor(Provider: ProviderClass | undefined) {
    if (Provider !== undefined) this.#Provider = Promise.resolve(Provider)
  }

  /** The request that the caller belongs to; `undefined` outside of one. */
  async current(): Promise<RequestMemory | undefined> {
    const context = (await this.#provider())?.ctx
    if (typeof context !== 'object' || context === null || objectOf(context)['oidc'] === undefined)
      return undefined
    const known = this.#memories.get(context)
    if (known !== undefined) return known
    const memory: RequestMemory = { context: context as RequestContext }
    this.#memories.set(context, memory)
    return memory
  }

  /** Whether requests can be seen at all. */
  async areVisible(): Promise<boolean> {
    return (await this.#provider()) !== undefined
  }

  #provider(): Promise<ProviderClass | undefined> {
    this.#Provider ??= import('oidc-provider').then(
      ({ default: Provider }) => Provider,
      () => undefined,
    )
    return this.#Provider
  }
}
