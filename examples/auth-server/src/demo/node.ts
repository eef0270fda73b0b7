import type { Server } from 'node:http'
import { type AddressInfo, Server as TcpServer } from 'node:net'
import { serve } from '@hono/node-server'
import type { AuthState } from 'authstate'
import { healthHandlers } from 'authstate/health'
import type { AuthServerOptions } from '../config.js'
import { createAuthServer } from '../server.js'
import { CALENDAR, ISSUER, NOTES, type World } from './world.js'

/** Longer than a load balancer keeps an idle connection: it must never send into one that is being closed. */
const KEEP_ALIVE_MS = 65_000

/** A node that listens. */
export interface Listener {
  /** `http://127.0.0.1:port` */
  readonly origin: string
  /** From now on `/readyz` says 503, so that a load balancer sends nothing new; connections are still taken. */
  drain(): void
  /**
   * Takes no connection any more. Those that are open are answered on, each for the last time; after `drainMs` those
   * on which nothing was asked are closed. Resolves when all are gone.
   */
  close(drainMs?: number): Promise<void>
}

/** Puts a node of the server on a free port of the loopback interface. */
export async function listen(
  world: World,
  state: AuthState,
  nodeName: string,
  limits: Pick<AuthServerOptions, 'loginsPerAddress'> = {},
): Promise<Listener> {
  const { users, signingKey } = world
  const clients = [NOTES, CALENDAR]
  const health = healthHandlers(state)
  const app = await createAuthServer({
    state,
    issuer: ISSUER,
    clients,
    users,
    signingKey,
    nodeName,
    health,
    ...limits,
  })
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) =>
      resolve({
        origin: `http://127.0.0.1:${port}`,
        drain: health.drain,
        close: (drainMs = 0) => close(server, drainMs),
      }),
    ) as Server
    server.keepAliveTimeout = KEEP_ALIVE_MS
    server.once('error', reject)
  })
}

function close(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    server.prependListener('request', (_, response) => response.setHeader('connection', 'close'))
    let closing: NodeJS.Timeout | undefined
    const drained = setTimeout(() => {
      server.closeIdleConnections()
      closing = setInterval(() => server.closeIdleConnections(), 50)
    }, drainMs)
    // Not `server.close()`: it would also close the idle connections, on one of which a request may be on its way.
    TcpServer.prototype.close.call(server, () => {
      clearTimeout(drained)
      clearInterval(closing)
      resolve()
    })
  })
}
