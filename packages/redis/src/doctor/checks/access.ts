import { productOf } from '../facts.js'
import { type Check, fail, ok, unknown, warn, worstOf } from '../judge.js'

const DAY_MS = 86_400_000

/** Whether strangers can read the connection, and which user has which rights. */
export const accessChecks: readonly Check[] = [
  {
    id: 'server.version',
    judge: (facts) =>
      worstOf(
        facts,
        (info) => {
          const [product, version] = productOf(info)
          const [major = 0, minor = 0] = version.split('.').map(Number)
          const measured = { product, version }
          const said = `${product} ${version}`
          if (product !== 'redis' && product !== 'valkey') {
            return warn(`${said} is not in the test matrix`, 'use Redis 6.2 or later, or Valkey', measured)
          }
          if (product === 'redis' && (major < 6 || (major === 6 && minor < 2))) {
            return fail(`${said} is older than 6.2`, 'use Redis 6.2 or later', measured)
          }
          if (product === 'redis' && major < 7) {
            return warn(
              `${said}: before 7.0 Redis cannot say which rights are missing`,
              'use Redis 7.0 or later',
              measured,
            )
          }
          return ok(said, measured)
        },
        'allow +info, or ask the administrator for the version',
      ),
  },
  {
    id: 'connection.tls',
    judge: ({ link, clock }) => {
      if (link.isEncrypted && link.certificateEndsAt !== undefined) {
        const days = Math.floor((link.certificateEndsAt - clock.now) / DAY_MS)
        if (days < 14) {
          return warn(`the certificate of the server ends in ${days} days`, 'renew the certificate', { days })
        }
        return ok(`encrypted, the certificate ends in ${days} days`, { days })
      }
      if (link.isEncrypted) return ok('encrypted')
      if (link.isLocal) return ok('not encrypted, and it does not leave this host')
      return warn(
        'passwords and sessions cross the network unencrypted',
        'set redis.tls, or rediss:// in redis.url',
      )
    },
  },
  {
    id: 'connection.password',
    judge: ({ link }) => {
      if (link.hasSecret) return ok('a password or a certificate is sent')
      if (link.isLocal) {
        return warn(
          'no password: every program on this host can read and end all sessions',
          'set a user with a password, see docs/acl.md',
        )
      }
      return fail(
        'no password: every program that reaches the server can read and end all sessions',
        'set a user with a password, see docs/acl.md',
      )
    },
  },
  {
    id: 'rights.missing',
    judge: ({ missingRights, config }) => {
      if (missingRights === undefined) {
        return unknown(
          'Redis before 7.0 does not say which rights a user has',
          'compare ACL GETUSER with docs/acl.md',
        )
      }
      if (missingRights.length === 0) return ok('the user has every right that is needed')
      const add = missingRights.map((name) => `+${name}`).join(' ')
      return fail(
        `the user lacks ${missingRights.length} right${missingRights.length === 1 ? '' : 's'}: ${missingRights.join(', ')}`,
        `add ${add} on ~${config.prefix}:*, see docs/acl.md. A later -@dangerous takes +info away again: put it first`,
        { missing: missingRights.length },
      )
    },
  },
  {
    id: 'rights.excess',
    judge: ({ excessRights }) => {
      if (excessRights === undefined) {
        return unknown(
          'Redis before 7.0 does not say which rights a user has',
          'compare ACL GETUSER with docs/acl.md',
        )
      }
      if (excessRights.length === 0)
        return ok('the user can do nothing beyond what is needed, as far as was asked')
      return warn(
        `the user may also run ${excessRights.join(', ')}: a person who gets its password can run them too`,
        'use a user with the rights of docs/acl.md only',
        { excess: excessRights.length },
      )
    },
  },
  {
    id: 'client.options',
    judge: ({ config, advice }) => {
      if (config.client === undefined) return ok('the client is made by this library')
      if (advice.length === 0) return ok('the options of the given client fit')
      return warn(`the given client ${advice.join('; it ')}`, 'change these options, or give a url instead', {
        options: advice.length,
      })
    },
  },
]

/** Whether the address at the other end of a socket is one of this host. */
export const isLocalAddress = (address: string): boolean =>
  address === '::1' || /^(::ffff:)?127\./.test(address)
