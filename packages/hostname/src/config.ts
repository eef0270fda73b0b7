import { isHostPattern, trustedProxyFault } from '@authstate/spi/internal'
import * as v from 'valibot'
import { X_FORWARDED, type XForwarded } from './forwarded.js'
import { baseUrlFault } from './rules.js'

/** A text in which `faultOf` finds no fault. */
const checked = (faultOf: (text: string) => string | undefined) =>
  v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const fault = dataset.typed ? faultOf(dataset.value) : undefined
      if (fault !== undefined) addIssue({ message: fault })
    }),
  )

const baseUrl = checked(baseUrlFault)

/** A host with or without a port. An address of IPv6 is in brackets. */
function hostFault(text: string): string | undefined {
  const [, host = '', port] = /^(\[[\da-f:.]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(text) ?? []
  const isHost = host.startsWith('[') ? URL.canParse(`http://${host}`) : isHostPattern(host)
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
  return isHost && isPort
    ? undefined
    : 'must be a host, with or without a port, where "*" stands for characters within one label'
}

/** What stands between a frontend URL and the issuer. */
const issuerPath = v.optional(
  checked((text) =>
    text === '' || (/^(\/[\w.~{}-]+)+$/.test(text) && !/[{}]/.test(text.replaceAll('{realmId}', '')))
      ? undefined
      : 'must be empty or a path without a slash at its end, in which {realmId} stands for the realm',
  ),
  '/realms/{realmId}',
)

/** The properties of the provider that is configured, as a schema. */
export const hostnameConfig = v.pipe(
  v.strictObject({
    /** Where browsers find the server: a URL, or a host, which means https. */
    frontendUrl: v.optional(baseUrl),
    /** Where the admin console is. Left out: at the frontend URL. */
    adminUrl: v.optional(baseUrl),
    /**
     * `'dynamic'`: a URL for another server has the host that this server asked for, if it is one of
     * `allowedHosts`.
     */
    backend: v.optional(v.picklist(['frontend', 'dynamic'])),
    /** Keycloak's older word: `true` is `backend: 'frontend'`, `false` is `'dynamic'`. */
    forceBackendToFrontend: v.optional(v.boolean()),
    /** `false`: without a frontend URL that of the request is taken, where its host is one of `allowedHosts`. */
    strict: v.optional(v.boolean(), true),
    /** Hosts that a request may name, with or without a port. */
    allowedHosts: v.optional(v.array(checked(hostFault)), []),
    issuerPath,
    /** The headers that the proxies in front set themselves. */
    proxyHeaders: v.optional(v.picklist(['none', 'forwarded', 'x-forwarded']), 'none'),
    /** Which of `X-Forwarded-*` the proxies set or remove. Left out: all of them. */
    xForwarded: v.optional(v.pipe(v.array(v.picklist(X_FORWARDED)), v.minLength(1))),
    /** The proxies in front: addresses, networks, `loopback`, `linklocal`, `uniquelocal`. */
    trustedProxies: v.optional(v.array(checked(trustedProxyFault)), []),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    for (const [property, message] of contradictions(dataset.value)) {
      addIssue({
        message,
        path: [
          { type: 'object', origin: 'value', input: { ...dataset.value }, key: property, value: undefined },
        ],
      })
    }
  }),
)

interface Properties {
  readonly frontendUrl?: string | undefined
  readonly backend?: 'frontend' | 'dynamic' | undefined
  readonly forceBackendToFrontend?: boolean | undefined
  readonly strict: boolean
  readonly allowedHosts: readonly string[]
  readonly proxyHeaders: string
  readonly xForwarded?: readonly XForwarded[] | undefined
  readonly trustedProxies: readonly string[]
}

/** Whether a URL for another server has the host that this server asked for. */
export const isBackendDynamic = ({ backend, forceBackendToFrontend }: Properties): boolean =>
  (backend ?? (forceBackendToFrontend === false ? 'dynamic' : 'frontend')) === 'dynamic'

/** What cannot be meant, or would have no effect. */
function* contradictions(config: Properties): Generator<[property: string, message: string]> {
  const { frontendUrl, backend, forceBackendToFrontend, strict, allowedHosts } = config
  const fromRequests = isBackendDynamic(config) || !strict
  if (strict && frontendUrl === undefined)
    yield ['frontendUrl', "must be given while strict is on: add frontendUrl: 'https://login.example.com'"]
  if (backend !== undefined && forceBackendToFrontend !== undefined)
    yield ['forceBackendToFrontend', 'must be left out where backend is given']
  if (fromRequests && allowedHosts.length === 0)
    yield ['allowedHosts', 'must name the hosts that requests may name, since URLs are made from requests']
  if (!fromRequests && allowedHosts.length > 0)
    yield [
      'allowedHosts',
      'must be left out: no URL is made from a request while strict is on and the backend is not dynamic',
    ]
  if (config.proxyHeaders !== 'none' && config.trustedProxies.length === 0)
    yield ['trustedProxies', 'must name the proxies whose headers are believed']
  if (config.proxyHeaders !== 'x-forwarded' && config.xForwarded !== undefined)
    yield ['xForwarded', 'must be left out where proxyHeaders is not x-forwarded']
  if (config.proxyHeaders === 'none' && config.trustedProxies.length > 0)
    yield ['proxyHeaders', 'must say which headers the trusted proxies set: forwarded or x-forwarded']
}

/** Properties of the provider that is configured, with defaults filled in. */
export type HostnameConfig = v.InferOutput<typeof hostnameConfig>

/** The properties of the provider with one URL, as a schema. */
export const fixedHostnameConfig = v.strictObject({
  /** The URL of the server, for everybody. */
  frontendUrl: baseUrl,
  issuerPath,
})

/** Properties of the provider with one URL. */
export type FixedHostnameConfig = v.InferOutput<typeof fixedHostnameConfig>
