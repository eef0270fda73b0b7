import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { AuthState } from 'authstate'
import { createAuthServer } from '../server.js'
import { CALENDAR, ISSUER, NOTES, type World } from './world.js'

/** A node that listens. */
export interface Listener {
  /** `http://127.0.0.1:port` */
  readonly origin: string
  close(): Promise<void>
}

/** Puts a node of the server on a free port of the loopback interface. */
export async function listen(world: World, state: AuthState): Promise<Listener> {
  const { users, signingKey } = world
  const app = await createAuthServer({ state, issuer: ISSUER, clients: [NOTES, CALENDAR], users, signingKey })
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) =>
      resolve({
        origin: `http://127.0.0.1:${port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      }),
    )
    server.once('error', reject)
  })
}
