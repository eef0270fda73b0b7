// oidc-provider, as it is published, sends its own logout tokens to the receivers.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { Browser as OpBrowser } from '../../../tools/testing/browser.js'
import { describeWith } from '../../../tools/testing/capabilities.js'
import { published, startPublished } from '../../adapters/oidc-provider/test/published.js'
import type { JsonWebKeys } from '../src/index.js'
import { Application, type Kind, logoutRequest } from './support.js'

const PROVIDER = new URL('./op/main.ts', import.meta.url).pathname
const CALLBACK = 'http://127.0.0.1/callback'
const AUTHORIZE = `/auth?${new URLSearchParams({
  client_id: 'shop',
  response_type: 'code',
  redirect_uri: CALLBACK,
  scope: 'openid',
})}`

/** Where the application takes logout tokens, and what it is handed to. */
async function listen() {
  const taken: string[] = []
  const endpoint = { url: '', taken, receive: async (_: Request) => new Response(null, { status: 500 }) }
  const server = createServer(async (incoming, outgoing) => {
    let body = ''
    for await (const chunk of incoming) body += String(chunk)
    taken.push(new URLSearchParams(body).get('logout_token') ?? '')
    const type = incoming.headers['content-type'] ?? ''
    const { status } = await endpoint.receive(logoutRequest(body, { headers: { 'content-type': type } }))
    outgoing.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/logout`
  return endpoint
}

/** Signs in at the provider with a browser of its own. @returns subject and sid of the ID token */
async function signIn(issuer: string, browser: OpBrowser, account: string) {
  const isPage = (path: string) => !path.startsWith('/interaction/')
  let at = await browser.go(AUTHORIZE, isPage)
  while (at.location.includes('/interaction/'))
    at = await browser.go(`${new URL(at.location, issuer).pathname}?account=${account}`, isPage)
  const code = new URL(at.location).searchParams.get('code') ?? ''
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: CALLBACK,
    client_id: 'shop',
    client_secret: 'secret',
  })
  const answer = (await (await fetch(`${issuer}/token`, { method: 'POST', body })).json()) as {
    id_token: string
  }
  const { sub = '', sid } = decodeJwt(answer.id_token)
  return { sub, sid: String(sid), idToken: answer.id_token }
}

describeWith(published, 'the back-channel logout of oidc-provider', () => {
  test.each<Kind>(['session', 'cookie'])(
    'ends the session of its sid on every node, and no other, with sessions of kind %s',
    async (kind) => {
      const endpoint = await listen()
      const provider = startPublished(PROVIDER, { BACKCHANNEL: endpoint.url })
      const [, issuer = ''] = (await provider.said(/^ready \S+$/)).split(' ')
      const app = await Application.open({
        kind,
        options: { issuer },
        receivers: {
          keys: async () => (await fetch(`${issuer}/jwks`)).json() as Promise<JsonWebKeys>,
          algorithms: ['RS256'],
        },
      })
      app.clock.set(Date.now())
      endpoint.receive = app.nodes[0].receivers.backChannelLogout
      const browsers = [new OpBrowser(issuer), new OpBrowser(issuer)] as const
      const [first, second] = await Promise.all(browsers.map((browser) => signIn(issuer, browser, 'ada')))
      if (first === undefined || second === undefined) throw new Error('nobody signed in')
      const here = await app.login(0, { subject: first.sub, sid: first.sid })
      const there = await app.login(1, { subject: second.sub, sid: second.sid })

      const [browser] = browsers
      const page = await browser.go(`/session/end?${new URLSearchParams({ id_token_hint: first.idToken })}`)
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
      const told = provider.said(/^(not )?told$/)
      await browser.send('/session/end/confirm', { xsrf, logout: 'yes' })
      expect(await told).toBe('told')
      expect([await app.who(here, 1), await app.who(there, 0)]).toEqual(['ended', 'ada'])

      // What it sent counts once, and for this client alone.
      const [token = ''] = endpoint.taken
      expect((await app.post(token, 1)).status).toBe(200)
      const { sid, events } = decodeJwt(token)
      expect([sid, Object.keys(events as object)]).toEqual([
        first.sid,
        ['http://schemas.openid.net/event/backchannel-logout'],
      ])
      expect((await app.post(first.idToken)).status).toBe(400)
      expect(await app.who(there, 1)).toBe('ada')
    },
  )
})
