import { type Actions, redirect, type ServerLoad } from '@sveltejs/kit'
import { priceOf } from '../lib/server/prices.js'
import { sessions } from '../lib/server/sessions.js'

export const load: ServerLoad = async ({ locals }) => {
  const { userId, cart = [], language = 'en' } = locals.session.data
  const own = userId === undefined ? [] : await sessions.sessionsOf(userId)
  return { userId, cart, language, sessions: own.length }
}

export const actions: Actions = {
  login: async ({ locals, request }) => {
    const form = await request.formData() // your check of the password
    sessions.regenerate(locals.session)
    locals.session.data.userId = String(form.get('name'))
    redirect(303, '/')
  },
  logout: async ({ locals }) => {
    await sessions.end(locals.session)
    redirect(303, '/')
  },
  others: async ({ locals }) => {
    await sessions.endOthers(locals.session)
    redirect(303, '/')
  },
  cart: async ({ locals, request }) => {
    const item = String((await request.formData()).get('item'))
    const { data } = locals.session
    data.cart = [...(data.cart ?? []), { item, price: await priceOf(item) }]
    redirect(303, '/')
  },
  language: async ({ locals, request }) => {
    locals.session.data.language = String((await request.formData()).get('language'))
    redirect(303, '/')
  },
}
