import type { AdapterFactory } from '@authstate/oidc-provider'
import { accountPage } from './pages.js'
import type { Session } from './provider.js'

/** Who looks at the account, and in which session. */
type SignedIn = Required<Session>

export async function showAccount(adapter: AdapterFactory, { accountId, uid }: SignedIn): Promise<string> {
  const [sessions, grants] = await Promise.all([adapter.sessionsOf(accountId), adapter.grantsOf(accountId)])
  return accountPage({ accountId, uid, sessions, grants })
}

/** The buttons of the page. Each acts on what is the user's own, whatever id the form brings. */
export const buttons: Readonly<
  Record<string, (adapter: AdapterFactory, signedIn: SignedIn, id: string) => Promise<void>>
> = {
  '/sessions/end': async (adapter, { accountId }, uid) => {
    const sessions = await adapter.sessionsOf(accountId)
    if (sessions.some((session) => session.uid === uid)) await adapter.endSession(uid)
  },
  '/sessions/end-others': async (adapter, { accountId, uid }) => {
    await adapter.endSessions(accountId, { except: uid })
  },
  '/grants/revoke': async (adapter, { accountId }, grantId) => {
    const grants = await adapter.grantsOf(accountId)
    if (grants.some((grant) => grant.grantId === grantId)) await adapter.revokeGrant(grantId)
  },
}
