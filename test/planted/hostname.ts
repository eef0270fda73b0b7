import { hostnameSuite } from '../../packages/hostname/src/conformance.js'
import { defaultHostname } from '../../packages/hostname/src/index.js'
import { inMemory } from './plant.js'

export const hostnameBugs = inMemory(hostnameSuite, defaultHostname, (plant) => {
  plant(
    'forged host',
    'the host of the request makes the URL',
    'url: no request changes the frontend URL',
    (real) => ({
      url: async (type, request, options) => {
        const url = await real.url(type, request, options)
        if (url !== undefined && request?.host !== undefined) url.host = request.host
        return url
      },
    }),
  )
  plant(
    'forged host',
    'an issuer follows a header that nobody checked',
    'issuer: no request changes it, and it has no slash at its end',
    (real) => ({
      issuer: async (realmId, request) => {
        const issuer = await real.issuer(realmId, request)
        const host = request?.headers['x-forwarded-host']
        return typeof host === 'string' ? issuer?.replace('login.example.com', host) : issuer
      },
    }),
  )
  plant(
    'wrong form',
    'an issuer ends with a slash',
    'issuer: no request changes it, and it has no slash at its end',
    (real) => ({
      issuer: async (realmId, request) => `${await real.issuer(realmId, request)}/`,
    }),
  )
  plant(
    'wrong realm',
    'the name of a realm is not escaped',
    'issuer: two realms never have one issuer',
    (real) => ({
      issuer: async (realmId) => (await real.issuer('x'))?.replace(/x$/, () => realmId),
    }),
  )
  plant(
    'forged address',
    'a header is believed from anybody',
    'clientAddress: nobody is believed who is not trusted',
    (real) => ({
      clientAddress: (request) => {
        const address = real.clientAddress(request)
        const header = request.headers['x-forwarded-for']
        return typeof header === 'string' ? { ...address, ip: header } : address
      },
    }),
  )
  plant(
    'open redirect',
    'a URI is resolved as a browser does',
    'resolveRelative: what leads away is refused',
    () => ({
      resolveRelative: async (value) => new URL(value, 'https://login.example.com/auth'),
    }),
    { throws: /Invalid URL/ },
  )
  plant(
    'open redirect',
    'two slashes pass for a path',
    'resolveRelative: what leads away is refused',
    (real) => ({
      resolveRelative: async (value, options) =>
        value.startsWith('//') ? new URL(`https:${value}`) : real.resolveRelative(value, options),
    }),
  )
  plant(
    'open redirect',
    'two dots lead out of the root of a client',
    'resolveRelative: nothing leads out of the root',
    (real) => ({
      resolveRelative: async (value, options) =>
        options?.rootUrl === undefined
          ? real.resolveRelative(value, options)
          : new URL(`https://login.example.com/x${value}`),
    }),
  )
  plant(
    'shared answer',
    'the configured URL is handed out itself',
    'url: what is handed out is the own of whoever asked',
    (real) => {
      const kept = real.url('frontend')
      return { url: () => kept }
    },
    { throws: /hands out an object|login\.example\.com|evil\.example/ },
  )
  plant('half the work', 'closing changes nothing', 'close: nothing is told afterwards', () => ({
    close: async () => {},
  }))
})
