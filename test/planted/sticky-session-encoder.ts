import { stickySessionEncoderSuite } from '../../packages/sticky-session-encoder/src/conformance.js'
import { memoryStickySessions } from '../../packages/sticky-session-encoder/src/index.js'
import { inMemory } from './plant.js'

export const stickySessionBugs = inMemory(stickySessionEncoderSuite, memoryStickySessions, (plant) => {
  plant(
    'forged value',
    'the signature is not looked at',
    'verify: nothing for everything that was not signed',
    () => ({
      verify: (value) => {
        const [message = '', ...route] = String(value).split('.')
        const text = Buffer.from(message, 'base64url').toString()
        const id = text.slice(0, text.lastIndexOf('.'))
        return id === '' ? undefined : { id, ...(route.length > 0 && { route: route.join('.') }) }
      },
    }),
  )
  plant(
    'forged value',
    'padding and other alphabets are read, too',
    'verify: nothing for everything that was not signed',
    (real) => ({ verify: (value, options) => real.verify(String(value).replace(/[=+/\s\0]/g, ''), options) }),
  )
  plant(
    'wrong realm',
    'a signature is good in whatever realm',
    'verify: a signature belongs to its realm',
    (real) => ({
      sign: (id, { realmId: _, ...options } = {}) => real.sign(id, options),
      verify: (value) => real.verify(value),
    }),
  )
  plant(
    'wrong separator',
    'the route begins at the last dot',
    'decode: at the first dot; a dot at the end belongs to the id',
    (real) => ({
      decode: (value) => {
        const text = String(value)
        const at = text.lastIndexOf('.')
        return at <= 0 ? real.decode(value) : { id: text.slice(0, at), route: text.slice(at + 1) }
      },
    }),
  )
  plant(
    'wrong error',
    'a malformed value is an exception',
    'decode: nothing where there is no id',
    (real) => ({
      decode: (value) => {
        const decoded = real.decode(value)
        if (decoded === undefined) throw new TypeError('"value" is malformed')
        return decoded
      },
    }),
    { throws: /"value" is malformed/ },
  )
  plant(
    'cookie flags',
    'a cookie can be read by scripts',
    'cookie: Secure, HttpOnly, SameSite=None, for the browser session',
    (real) => ({ cookie: (...args) => real.cookie(...args).replace('; HttpOnly', '') }),
  )
  plant(
    'cookie flags',
    'a cookie outlives the browser session',
    'cookie: Secure, HttpOnly, SameSite=None, for the browser session',
    (real) => ({ cookie: (...args) => `${real.cookie(...args)}; Max-Age=3600` }),
  )
  plant(
    'half the work',
    'only the first cookie of the name is tried',
    'readCookie: the first that verifies, of three',
    (real) => ({
      readCookie: (header, options) => real.readCookie(header?.split(';')[0], options),
    }),
  )
})
