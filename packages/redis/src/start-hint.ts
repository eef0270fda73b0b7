import { isError } from '@authstate/spi/internal'
import type { RedisConfig } from './options.js'

/** The page for a reader who has to fix what an error says. */
interface Addresses {
  /** User name and password. */
  readonly secrets: string
  /** Options of TLS, such as `redis.tls`. */
  readonly tls: string
  /** How TLS is asked for. */
  readonly askForTls: string
  readonly isTls: boolean
}

type Hint = readonly [pattern: RegExp, text: (addresses: Addresses) => string]

/** What to do about a start that failed, by what its error says. The first hint that fits is used. */
const HINTS: readonly Hint[] = [
  [/\bWRONGPASS\b/, ({ secrets }) => `the user name or the password is wrong, see ${secrets}`],
  [/\bNOAUTH\b/, ({ secrets }) => `a password is required, see ${secrets}`],
  [/\bNOPERM\b/, () => 'the user lacks a right, see docs/acl.md'],
  [
    /\bLOADING\b/,
    () => 'Redis loads its data: start again once it has, or allow more with redis.connectTimeoutMs',
  ],
  [/wrong.version.number|packet.length/i, ({ tls }) => `the server does not speak TLS there, see ${tls}`],
  [
    /Protocol error|RESP|reply type/,
    ({ askForTls }) => `no answer of a Redis; the server may want TLS: ${askForTls}`,
  ],
  [/certificate.required|handshake.failure/i, ({ tls }) => wantsCertificate(tls)],
  [
    /SELF_SIGNED|UNABLE_TO_|CERT_UNTRUSTED/,
    ({ tls }) => `this host does not trust the authority of its certificate: ${tls}.ca`,
  ],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, () => 'its certificate is not valid today'],
  [/ALTNAME_INVALID/, ({ tls }) => `its certificate is for another name: ${tls}.servername`],
  [
    /ECONNRESET|EPIPE|Connection is closed|disconnected/,
    ({ isTls, tls, askForTls }) =>
      isTls
        ? `the server may not speak TLS there; or ${wantsCertificate(tls)}`
        : `the server may want TLS: ${askForTls}`,
  ],
  [
    /on a connection that was taken/,
    () => 'Redis may be frozen, blocked by a long command, or out of memory on its host',
  ],
  // A Redis without TLS waits for the end of the line in what it takes for a command.
  [/no answer within/, ({ isTls, tls }) => (isTls ? `the server may not speak TLS there, see ${tls}` : '')],
]

const wantsCertificate = (tls: string): string =>
  `the server wants a certificate of this client: ${tls}.cert and ${tls}.key`

/** What to do about an error of the first connection, in brackets; `''` where its own words are all there is. */
export function startHint(error: Error, config: RedisConfig): string {
  const said = wordsOf(error)
  const text = HINTS.find(([pattern]) => pattern.test(said))?.[1](addressesIn(config, /sentinel/i.test(said)))
  return text ? ` (${text})` : ''
}

function wordsOf(error: Error): string {
  const { code, message, lastNodeError } = error as Error & { code?: unknown; lastNodeError?: unknown }
  const ofNode = isError(lastNodeError) ? wordsOf(lastNodeError) : ''
  return `${typeof code === 'string' ? code : ''} ${message} ${ofNode}`
}

function addressesIn(config: RedisConfig, isOfSentinels: boolean): Addresses {
  if (config.client !== undefined) {
    const place = 'the options of the client'
    return { secrets: place, tls: 'tls in the options of the client', askForTls: place, isTls: false }
  }
  if (isOfSentinels) {
    return {
      secrets: 'redis.sentinelUsername and redis.sentinelPassword',
      tls: 'redis.sentinelTls',
      askForTls: 'redis.sentinelTls',
      isTls: Boolean(config.sentinelTls),
    }
  }
  const isAddress = config.url !== undefined
  return {
    secrets:
      config.credentials === undefined
        ? `${isAddress ? 'redis.url, ' : ''}redis.username and redis.password`
        : 'what redis.credentials answers',
    tls: 'redis.tls',
    askForTls: `redis.tls${isAddress ? ', or rediss:// in redis.url' : ''}`,
    isTls: Boolean(config.tls) || config.url?.startsWith('rediss:') === true,
  }
}
