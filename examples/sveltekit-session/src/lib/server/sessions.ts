import { createAuthState } from 'authstate'
import { createSessions } from 'authstate/web-session/fetch'

/** What the shop keeps for a browser. */
export interface ShopData {
  userId: string
  cart: { item: string; price: number }[]
  language: string
}

const { REDIS_URL: url, SESSION_SECRET = 'a secret of this example, take your own' } = process.env
const state = await createAuthState(url === undefined ? {} : { provider: 'redis', redis: { url } })

export const sessions = createSessions<ShopData>(state, { secret: SESSION_SECRET })
