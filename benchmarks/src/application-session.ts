// What an application keeps for a browser: 180 bytes of JSON under an id of 32 characters, as express-session makes them.
export const LIFE_MS = 86_400_000

/** An id as long as those of express-session. */
export const sessionIdOf = (n: number): string => `q7Zb3kq0Yt7mXc1VfR9sLwP0${n.toString(16).padStart(8, '0')}`

/** Its data, with the cookie that express-session keeps in them. */
export const sessionDataOf = (n: number) => ({
  cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
  userId: `user-${n.toString().padStart(6, '0')}`,
  cart: ['book', 'pen'],
  locale: 'en',
  csrf: 'b3J0aG9nb25hbCBieXRlcyBvZiBhIHRva2VuIQ',
})
