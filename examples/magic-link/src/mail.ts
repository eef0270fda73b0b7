import type { AuthState } from 'authstate'
import { LINK_MS, REALM, SIGN_IN } from './realm.js'

/** What is sent to an address. */
export interface Mail {
  readonly to: string
  readonly link: string
}

const HOUR_MS = 3_600_000
const MAILS_PER_HOUR = 5
const LONGEST_ADDRESS = 254

/** Sends a link, if that is an address and it has not had too many. Nobody is told which: addresses cannot be tried out. */
export async function mailLink(
  { actionTokens }: AuthState,
  address: string,
  origin: string,
  send: (mail: Mail) => Promise<void>,
): Promise<void> {
  const to = address.trim().toLowerCase()
  if (!/^[^\s@]+@[^\s@]+$/.test(to) || to.length > LONGEST_ADDRESS) return
  const { count } = await actionTokens.countUse(REALM, 'mail', to, { windowMs: HOUR_MS })
  if (count > MAILS_PER_HOUR) return
  const token = await actionTokens.issueActionToken(REALM, {
    userId: to,
    actionId: SIGN_IN,
    lifespanMs: LINK_MS,
  })
  await send({ to, link: `${origin}/link/${token}` })
}
