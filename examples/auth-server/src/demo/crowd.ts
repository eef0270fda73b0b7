import type { AuthState } from 'authstate'

const NAMES = ['ada', 'alan', 'barbara', 'donald', 'edsger', 'frances', 'grace', 'linus', 'margaret', 'radia']
const CLIENTS = ['notes', 'calendar', 'mail', 'files']
const SIZE = 200
const EVERY_MS = 1_500

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T

/** Somebody signs in, and now and then somebody cannot. */
async function come(state: AuthState, realmId: string): Promise<void> {
  const { userSessions, loginFailures } = state.realm(realmId)
  const name = `${pick(NAMES)}-${Math.floor(Math.random() * 40)}`
  const host = Math.floor(Math.random() * 250)
  if (Math.random() < 0.1) {
    for (let n = 0; n < 5; n++) await loginFailures.recordFailure(name, { ip: `198.51.100.${host}` })
    return
  }
  const created = await userSessions.create({
    userId: name,
    loginUsername: `${name}@example.org`,
    ipAddress: `203.0.113.${host}`,
    client: { clientId: pick(CLIENTS) },
  })
  if (created.outcome === 'created' && Math.random() < 0.15)
    await userSessions.createOffline(created.session.id)
}

/** A crowd that is there at once. */
export async function gather(state: AuthState, realmId: string): Promise<void> {
  for (let n = 0; n < SIZE; n++) await come(state, realmId)
}

/**
 * A crowd of which somebody comes and somebody goes all the time.
 *
 * @returns ends it
 */
export function comeAndGo(state: AuthState, realmId: string): () => void {
  const step = async () => {
    await come(state, realmId)
    if (Math.random() < 0.4)
      await state.realm(realmId).userSessions.removeByUser(`${pick(NAMES)}-${Math.floor(Math.random() * 40)}`)
  }
  const timer = setInterval(() => void step().catch(() => {}), EVERY_MS)
  return () => clearInterval(timer)
}
