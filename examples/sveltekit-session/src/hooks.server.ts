import type { Handle } from '@sveltejs/kit'
import { sessions } from './lib/server/sessions.js'

export const handle: Handle = async ({ event, resolve }) => {
  event.locals.session = await sessions.load(event.request)
  const response = await resolve(event)
  await sessions.commit(event.locals.session, response.headers)
  return response
}
