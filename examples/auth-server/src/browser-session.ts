import type { UserSession } from 'authstate'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { digest, randomSecret } from './secrets.js'
import type { Services } from './services.js'

// The cookie holds the session's id and a secret of this browser. Clients learn the id, as `sid` of their tokens;
// without the secret it opens nothing. The session holds the secret's digest only, in the name of a note that says when the
// password was typed. Two forms that are sent at once each give the browser a secret: it keeps the one, and either works.
const COOKIE = 'SESSION'
const noteOf = (secret: string): string => `browser ${digest(secret)}`
const VALUE = /^([\w-]{1,64})\.([\w-]{43})$/

/** The session of the browser that asks. */
export interface BrowserSession {
  readonly session: UserSession
  readonly authenticatedAt: number
  /** The note of this browser's secret, to be removed when it gets another. */
  readonly note: string
  /** For the forms of this browser's signed-in pages. */
  readonly csrf: string
}

/** The living session of this browser, or `undefined`. */
export async function readBrowserSession(
  { state, realmId }: Services,
  c: Context,
): Promise<BrowserSession | undefined> {
  const [, sessionId, secret] = VALUE.exec(getCookie(c, COOKIE, 'host') ?? '') ?? []
  if (sessionId === undefined || secret === undefined) return undefined
  const session = await state.userSessions.get(realmId, sessionId)
  const note = noteOf(secret)
  const authenticatedAt = session?.notes[note]
  if (!session || authenticatedAt === undefined) return undefined
  return {
    session,
    authenticatedAt: Number(authenticatedAt),
    note,
    csrf: digest(`csrf ${secret}`),
  }
}

/** A secret for a new session of this browser: `notes` go into the session, `keep` gives the browser its half. */
export function newBrowserSecret(authenticatedAt: number): {
  notes: Record<string, string>
  keep(c: Context, sessionId: string): void
} {
  const secret = randomSecret()
  return {
    notes: { [noteOf(secret)]: String(authenticatedAt) },
    keep: (c, sessionId) =>
      setCookie(c, COOKIE, `${sessionId}.${secret}`, { ...ATTRIBUTES, httpOnly: true, sameSite: 'Lax' }),
  }
}

export function forgetBrowserSession(c: Context): void {
  deleteCookie(c, COOKIE, { ...ATTRIBUTES, prefix: 'host' })
}

const ATTRIBUTES = { prefix: 'host', path: '/', secure: true } as const
