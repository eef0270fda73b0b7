import * as oidc from 'openid-client'
import type { Client } from '../config.js'
import { fetchFrom } from './fetch-from.js'
import type { Node } from './nodes.js'
import { ISSUER } from './world.js'

export type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers

/** A login that the application has begun: where to send the user, and what must come back. */
export interface Login {
  readonly url: URL
  readonly checks: oidc.AuthorizationCodeGrantChecks
}

/** An application that signs users in with openid-client, talking to whichever node it is told to. */
export class Application {
  readonly #client: Client
  readonly #config: oidc.Configuration
  #node: Node

  private constructor(client: Client, config: oidc.Configuration, node: Node) {
    this.#client = client
    this.#config = config
    this.#node = node
    config[oidc.customFetch] = (url, options) => fetchFrom(this.#node, url, options as RequestInit)
    // Check signatures against the published key, although the tokens come straight from the issuer.
    oidc.enableNonRepudiationChecks(config)
  }

  static async discover(node: Node, client: Client): Promise<Application> {
    const authentication = client.secret === undefined ? oidc.None() : oidc.ClientSecretBasic(client.secret)
    const config = await oidc.discovery(new URL(ISSUER), client.clientId, undefined, authentication, {
      [oidc.customFetch]: (url, options) => fetchFrom(node, url, options as RequestInit),
    })
    return new Application(client, config, node)
  }

  async begin(more: Readonly<Record<string, string>> = {}): Promise<Login> {
    const verifier = oidc.randomPKCECodeVerifier()
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()]
    const url = oidc.buildAuthorizationUrl(this.#config, {
      redirect_uri: this.#client.redirectUris[0] as string,
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...more,
    })
    return {
      url,
      checks: {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      },
    }
  }

  /** Trades in the code with which the user came back; checks state, issuer, nonce and signature. */
  redeem(node: Node, callback: URL, { checks }: Login): Promise<Tokens> {
    this.#node = node
    return oidc.authorizationCodeGrant(this.#config, callback, checks)
  }

  refresh(node: Node, { refresh_token: token = '' }: Tokens): Promise<Tokens> {
    this.#node = node
    return oidc.refreshTokenGrant(this.#config, token)
  }

  userinfo(node: Node, tokens: Tokens): Promise<oidc.UserInfoResponse> {
    this.#node = node
    return oidc.fetchUserInfo(this.#config, tokens.access_token, tokens.claims()?.sub ?? '')
  }

  signOutUrl({ id_token: hint = '' }: Tokens): URL {
    return oidc.buildEndSessionUrl(this.#config, {
      id_token_hint: hint,
      post_logout_redirect_uri: this.#client.postLogoutRedirectUris?.[0] as string,
    })
  }
}
