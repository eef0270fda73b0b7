import { once } from 'node:events'
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve as serveHono } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Console } from '../src/index.js'
import { toNode } from '../src/node.js'
import { formOf, world } from './support.js'

const BASE = '/ops'

async function listening(server: Server): Promise<string> {
  if (!server.listening) await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const listen = (handler: RequestListener) => listening(createServer(handler).listen(0, '127.0.0.1'))

/** Each way to mount a console, as README.md shows it. */
const MOUNTS: Readonly<Record<string, (console: Console) => Promise<string>>> = {
  'node:http': (console) => listen(toNode(console)),
  express: (console) => {
    const app = express()
    app.use(BASE, toNode(console))
    return listen(app)
  },
  'express behind a body parser': (console) => {
    const app = express()
    app.use(express.urlencoded({ extended: false }), express.json())
    app.use(BASE, toNode(console))
    return listen(app)
  },
  fastify: async (console) => {
    const app = fastify()
    await app.register(async (ops) => {
      ops.removeAllContentTypeParsers()
      ops.addContentTypeParser('*', (_request, _payload, done) => done(null))
      const handle = toNode(console)
      const route = async (request: { raw: never }, reply: { hijack(): unknown; raw: never }) => {
        reply.hijack()
        await handle(request.raw, reply.raw)
      }
      ops.all(BASE, route as never)
      ops.all(`${BASE}/*`, route as never)
    })
    onTestFinished(() => app.close())
    await app.listen({ port: 0, host: '127.0.0.1' })
    return listening(app.server)
  },
  koa: (console) => {
    const app = new Koa()
    const handle = toNode(console)
    app.use(async (context, next) => {
      if (!`${context.path}/`.startsWith(`${BASE}/`)) return next()
      context.respond = false
      await handle(context.req, context.res)
    })
    return listen(app.callback())
  },
  hono: (console) => {
    const app = new Hono()
    app.all(BASE, (context) => console(context.req.raw))
    app.all(`${BASE}/*`, (context) => console(context.req.raw))
    return listening(serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server)
  },
}

describe.each(Object.keys(MOUNTS))('mounted in %s', (name) => {
  test('it lists, ends one session, and refuses what is forged', async () => {
    const { console, state } = await world({ basePath: BASE })
    const origin = await (MOUNTS[name] as (console: Console) => Promise<string>)(console)
    const page = await fetch(`${origin}${BASE}/sessions?realm=acme`)
    const text = await page.text()
    expect([page.status, page.headers.get('content-security-policy')?.includes("'none'")]).toEqual([
      200,
      true,
    ])
    for (const [, path] of text.matchAll(/(?:href|src)="(\/ops\/assets\/[^"]+)"/g))
      expect([path, (await fetch(origin + path)).status]).toEqual([path, 200])
    const [, refs = ''] = /name="refs" value="([^"]+)"/.exec(text) ?? []
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(text) ?? []
    const [, action = ''] = /action="(\/ops\/api\/v1\/sessions\/end[^"]*)"/.exec(text) ?? []
    const send = (headers: Record<string, string>, fields: Record<string, string>) =>
      fetch(origin + action, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: formOf(fields),
      })
    const forged = [
      await send({ origin }, { token: 'forged', refs }),
      await send({ origin: 'https://evil.example' }, { token, refs }),
      await send({}, { token, refs }),
      await send({ origin }, { token, refs, more: 'x'.repeat(70_000) }),
    ]
    expect(forged.map(({ status }) => status)).toEqual([403, 403, 403, 403])
    expect((await state.realm('acme').userSessions.list()).items).toHaveLength(2)
    const sent = await send({ origin }, { token, refs, back: `${BASE}/sessions?realm=acme` })
    expect([sent.status, sent.headers.get('location')?.startsWith(`${BASE}/sessions?`)]).toEqual([303, true])
    expect((await state.realm('acme').userSessions.list()).items).toHaveLength(1)
    const again = await (await fetch(`${origin}${BASE}/sessions?realm=acme`)).text()
    const [, other = ''] = /name="refs" value="([^"]+)"/.exec(again) ?? []
    const json = await fetch(origin + action, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify({ token, refs: [other] }),
    })
    expect(await json.json()).toMatchObject({ data: { ended: 1 } })
    expect((await fetch(`${origin}${BASE}/no-such-page`)).status).toBe(404)
  })

  test('its stream of events ends when the browser goes, and when the console is closed', async () => {
    const { console } = await world({ basePath: BASE, maxStreams: 1 })
    const origin = await (MOUNTS[name] as (console: Console) => Promise<string>)(console)
    const open = () => fetch(`${origin}${BASE}/api/v1/events`)
    const gone = new AbortController()
    const first = await fetch(`${origin}${BASE}/api/v1/events`, { signal: gone.signal })
    expect(new TextDecoder().decode((await first.body?.getReader().read())?.value)).toMatch(/^data: /)
    expect((await open()).status).toBe(503)
    gone.abort()
    let second = await open()
    for (let n = 0; n < 1_000 && second.status === 503; n++) second = await open()
    expect(second.status).toBe(200)
    const reader = second.body?.getReader()
    await reader?.read()
    await console.close()
    expect((await reader?.read())?.done).toBe(true)
  })
})

test('a host that is none, and a path that names another server, do not leave the console', async () => {
  const { console } = await world()
  const origin = await listen(toNode(console))
  const ask = (path: string, host: string) =>
    new Promise<number>((resolve, reject) => {
      const request = httpRequest(`${origin}/`, { path, headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      request.on('error', reject).end()
    })
  expect(await ask('/sessions', 'evil.example/..')).toBe(200)
  expect(await ask('//evil.example/sessions', 'localhost')).toBe(404)
  expect(await ask('/%zz', 'localhost')).toBe(404)
})
