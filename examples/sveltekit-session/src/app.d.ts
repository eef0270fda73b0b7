import type { Session } from 'authstate/web-session/fetch'
import type { ShopData } from './lib/server/sessions.js'

declare global {
  namespace App {
    interface Locals {
      session: Session<ShopData>
    }
  }
}
