import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'
import { egressRuleFault } from './addresses.js'
import { isHostPattern } from './hosts.js'
import { mappingFault } from './proxies.js'

const count = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(least), v.maxValue(most))
/** Longer timers than this run out at once. */
const LONGEST_SPAN_MS = 2_147_483_647
const spanMs = (least: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    count(least, LONGEST_SPAN_MS),
  )

/** A text in which `faultOf` finds no fault. */
const checked = (faultOf: (text: string) => string | undefined) =>
  v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const fault = dataset.typed ? faultOf(dataset.value) : undefined
      if (fault !== undefined) addIssue({ message: fault })
    }),
  )

const hostPatterns = v.array(
  checked((text) =>
    isHostPattern(text) ? undefined : 'must be a host, where "*" stands for characters within one label',
  ),
)

/** Limits of the requests for one purpose; what is left out is the general one. */
const purposeConfig = v.strictObject({
  deadlineMs: v.optional(spanMs(1)),
  maxResponseBytes: v.optional(count(0)),
  /** How often a GET is sent again that got no answer, or 502, 503 or 504. */
  retries: v.optional(count(0, 10)),
  /** `true`: the body of the answer is read, for the sake of the connection, and dropped. */
  dropBody: v.optional(v.boolean()),
})

const portRange = v.union([
  count(1, 65_535),
  checked((text) => {
    const [, from = '', to = ''] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []
    const valid = Number(from) >= 1 && Number(from) <= Number(to) && Number(to) <= 65_535
    return valid ? undefined : 'must be a port or a range of ports such as "1024-65535"'
  }),
])

/** Where requests may go in addition to public addresses. */
const egressConfig = v.strictObject({
  /** Networks that are not public and may be reached all the same, each with or without a port. */
  allow: v.optional(v.array(checked(egressRuleFault)), []),
  ports: v.optional(v.array(portRange), [80, 443, '1024-65535']),
  /** Hosts that a proxy may be asked for by name, where it resolves them (`proxyResolve: 'proxy'`). */
  allowHosts: v.optional(hostPatterns, []),
})

const clientCertificate = v.pipe(
  v.strictObject({
    /** Hosts that are shown this certificate. */
    hosts: v.pipe(hostPatterns, v.minLength(1, 'must name a host')),
    /** PEM, or the name of a file with it. */
    cert: v.optional(v.string()),
    /** PEM, or the name of a file with it. */
    key: v.optional(v.string()),
    /** The name of a file in PKCS #12, in place of `cert` and `key`. */
    pfx: v.optional(v.string()),
    passphrase: v.optional(v.string()),
  }),
  v.check(
    ({ cert, key, pfx }) => (pfx === undefined ? cert !== undefined && key !== undefined : !(cert ?? key)),
    'must have either "cert" with "key", or "pfx"',
  ),
)

/** The properties of an http-client provider, as a schema. */
export const httpClientConfig = v.pipe(
  v.strictObject({
    /** How long a connection may take to open: name look-up, TCP, proxy and TLS. */
    connectTimeoutMs: v.optional(spanMs(1), 5_000),
    /** How long a request may take in all. */
    deadlineMs: v.optional(spanMs(1), 10_000),
    /** Connections in all, idle ones too. */
    maxConnections: v.optional(count(1, 65_535), 128),
    /** Connections per origin, idle ones too. */
    maxConnectionsPerOrigin: v.optional(count(1, 65_535), 16),
    /** Requests that may wait for a connection. */
    maxQueued: v.optional(count(0), 1_000),
    queueTimeoutMs: v.optional(spanMs(1), 2_000),
    /** How long a connection may be idle. */
    idleMs: v.optional(spanMs(1), 60_000),
    /** Largest body of an answer, compressed and decompressed. */
    maxResponseBytes: v.optional(count(0), 10_000_000),
    purposes: v.optional(v.record(v.string(), purposeConfig), {}),
    /** `regex;uri` each; the first that matches the whole host decides. */
    proxyMappings: v.optional(v.array(checked(mappingFault)), []),
    /** Whether `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count where there are no mappings. */
    useEnvironmentProxy: v.optional(v.boolean(), true),
    /** Which side looks up the name of a target behind a proxy. */
    proxyResolve: v.optional(v.picklist(['local', 'proxy']), 'local'),
    /** Certificates of authorities: PEM, or names of files with it. */
    ca: v.optional(v.array(v.string()), []),
    /** `'add'`: in addition to those that Node trusts. `'only'`: in their place. */
    caMode: v.optional(v.picklist(['add', 'only']), 'add'),
    clientCertificates: v.optional(v.array(clientCertificate), []),
    /** `'wildcard'`: as RFC 9525. `'strict'`: a certificate must have the very name. `'any'`: names are not looked at. */
    hostnameVerification: v.optional(v.picklist(['wildcard', 'strict', 'any']), 'wildcard'),
    egress: v.optional(egressConfig, {}),
    /** `true`: any certificate is trusted. For a laptop, never for a server. */
    insecure: v.optional(v.boolean(), false),
  }),
  v.forward(
    v.check(({ ca, caMode }) => caMode === 'add' || ca.length > 0, 'must be "add" while "ca" is empty'),
    ['caMode'],
  ),
)

/** Properties of a provider, with defaults filled in. */
export type HttpClientConfig = v.InferOutput<typeof httpClientConfig>
