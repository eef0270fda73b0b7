// A provider that does what it is told: it can delay, fail, rotate, answer a refresh token again, and send messages.
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { serve } from './serve.js'

/** How it behaves; `POST /control` changes it. */
interface Manner {
  delayMs: number
  rotates: boolean
  hasGrace: boolean
  accessSeconds: number
  nodeTimeoutMs: number
}

interface Grant {
  readonly sub: string
  readonly sid: string
  isRevoked: boolean
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const { OP_CLIENT: client = 'shop' } = process.env
const { publicKey, privateKey } = await generateKeyPair('ES256')
const manner: Manner = {
  delayMs: 0,
  rotates: true,
  hasGrace: false,
  accessSeconds: 300,
  nodeTimeoutMs: 1_500,
}
const grants = new Map<string, Grant>()
const codes = new Map<string, string>()
const refreshTokens = new Map<string, { readonly grant: Grant; answer?: object }>()
const nodes = new Map<string, number>()
const stats = { refreshes: 0, failures: 0, revoked: 0 }
let issuer = ''
let issued = 0

const json = (value: object, status = 200): Response => Response.json(value, { status })
const seconds = () => Math.floor(Date.now() / 1_000)
const sign = (claims: Record<string, unknown>, typ: string) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'op', typ }).sign(privateKey)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function tokensOf(grant: Grant): object {
  issued += 1
  const refreshToken = `refresh-${randomUUID()}`
  refreshTokens.set(refreshToken, { grant })
  const { sub, sid } = grant
  return {
    access_token: `access-${issued}`,
    expires_in: manner.accessSeconds,
    refresh_token: refreshToken,
    sub,
    sid,
  }
}

async function token(form: URLSearchParams): Promise<Response> {
  if (form.get('grant_type') === 'authorization_code') {
    const grant = grants.get(codes.get(form.get('code') ?? '') ?? '')
    codes.delete(form.get('code') ?? '')
    return grant === undefined ? json({ error: 'invalid_grant' }, 400) : json(tokensOf(grant))
  }
  stats.refreshes += 1
  const presented = form.get('refresh_token') ?? ''
  const held = refreshTokens.get(presented)
  const isUsed = held?.answer !== undefined
  if (held !== undefined && !isUsed && !held.grant.isRevoked) {
    const answer = tokensOf(held.grant)
    if (manner.rotates) held.answer = answer
    await pause(manner.delayMs)
    return json(manner.rotates ? answer : { ...answer, refresh_token: presented })
  }
  await pause(manner.delayMs)
  if (held?.answer !== undefined && manner.hasGrace && !held.grant.isRevoked) return json(held.answer)
  stats.failures += 1
  return json({ error: 'invalid_grant' }, 400)
}

/** A logout token with what is asked for; `to` says where it goes. */
async function logout(query: URLSearchParams): Promise<Response> {
  const claims = JSON.parse(query.get('claims') ?? '{}') as Record<string, unknown>
  const body = {
    iss: issuer,
    aud: client,
    iat: seconds(),
    exp: seconds() + 120,
    jti: randomUUID(),
    events: { [EVENT]: {} },
    ...claims,
  }
  return json({ token: await sign(body, query.get('typ') ?? 'logout+jwt') })
}

/** Tells every node that is known, as Keycloak tells its adapters. */
async function tellNodes(query: URLSearchParams): Promise<Response> {
  const living = livingNodes()
  const told = await Promise.all(
    living.map(async (host) => {
      const claims = JSON.parse(query.get('claims') ?? '{}') as Record<string, unknown>
      const action = { id: randomUUID(), expiration: seconds() + 30, resource: client, ...claims }
      const answer = await fetch(`http://${host}${query.get('path')}`, {
        method: 'POST',
        body: await sign(action, 'JWT'),
      })
      return answer.status
    }),
  )
  return json({ nodes: living, told })
}

function livingNodes(): string[] {
  for (const [host, at] of nodes) if (at + manner.nodeTimeoutMs <= Date.now()) nodes.delete(host)
  return [...nodes.keys()].sort()
}

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const form = async () => new URLSearchParams(await request.text())
  switch (pathname) {
    case '/jwks':
      return json({ keys: [{ ...(await exportJWK(publicKey)), kid: 'op', alg: 'ES256' }] })
    case '/authorize': {
      // Nobody is asked: who comes is signed in as whom they say.
      const [sub, sid] = [searchParams.get('login_hint') ?? 'ada', searchParams.get('sid') ?? randomUUID()]
      const id = randomUUID()
      grants.set(id, { sub, sid, isRevoked: false })
      const code = randomUUID()
      codes.set(code, id)
      const back = new URL(searchParams.get('redirect_uri') ?? '')
      back.searchParams.set('code', code)
      back.searchParams.set('state', searchParams.get('state') ?? '')
      return new Response(null, { status: 302, headers: { location: back.href } })
    }
    case '/token':
      return token(await form())
    case '/revoke': {
      const held = refreshTokens.get((await form()).get('token') ?? '')
      if (held !== undefined) held.grant.isRevoked = true
      stats.revoked += 1
      return new Response(null, { status: 200 })
    }
    case '/register-node':
      nodes.set((await form()).get('client_cluster_host') ?? '', Date.now())
      return new Response(null, { status: 204 })
    case '/unregister-node':
      nodes.delete((await form()).get('client_cluster_host') ?? '')
      return new Response(null, { status: 204 })
    case '/nodes':
      return json(livingNodes())
    case '/logout-token':
      return logout(searchParams)
    case '/tell-nodes':
      return tellNodes(searchParams)
    case '/control':
      Object.assign(manner, await request.json())
      Object.assign(stats, { refreshes: 0, failures: 0, revoked: 0 })
      return json(manner)
    case '/stats':
      return json(stats)
    default:
      return new Response(null, { status: 404 })
  }
}

const { port } = await serve(0, answer)
issuer = `http://127.0.0.1:${port}`
process.send?.({ port })
process.once('disconnect', () => process.exit())
