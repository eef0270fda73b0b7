import type { TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Known } from '@authstate/spi'
import { knownNames, nearest, quote } from '@authstate/spi/internal'
import type { ClusterOptions, RedisOptions } from 'ioredis'

// Whoever gets these options ignores what it does not know. Typed, so that a new option does not compile until it is listed. An
// application that needs one that is not listed yet gives a client of its own.

const TLS: Known<ConnectionOptions> = {
  host: true,
  port: true,
  path: true,
  socket: true,
  checkServerIdentity: true,
  servername: true,
  session: true,
  minDHSize: true,
  lookup: true,
  timeout: true,
  pskCallback: true,
  ALPNCallback: true,
  allowPartialTrustChain: true,
  ca: true,
  cert: true,
  sigalgs: true,
  ciphers: true,
  clientCertEngine: true,
  crl: true,
  dhparam: true,
  ecdhCurve: true,
  honorCipherOrder: true,
  key: true,
  privateKeyEngine: true,
  privateKeyIdentifier: true,
  maxVersion: true,
  minVersion: true,
  passphrase: true,
  pfx: true,
  secureOptions: true,
  secureProtocol: true,
  sessionIdContext: true,
  ticketKeys: true,
  sessionTimeout: true,
  secureContext: true,
  enableTrace: true,
  requestCert: true,
  ALPNProtocols: true,
  SNICallback: true,
  rejectUnauthorized: true,
}

/** `tls.connect` hands these on to `net.connect`. */
const SOCKET: Known<TcpNetConnectOpts> = {
  host: true,
  port: true,
  localAddress: true,
  localPort: true,
  hints: true,
  family: true,
  lookup: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: true,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: true,
  timeout: true,
  onread: true,
  fd: true,
  allowHalfOpen: true,
  readable: true,
  writable: true,
  signal: true,
}

const SERVER: Known<RedisOptions> = {
  Connector: true,
  retryStrategy: true,
  commandTimeout: true,
  blockingTimeout: true,
  blockingTimeoutGrace: true,
  socketTimeout: true,
  keepAlive: true,
  noDelay: true,
  connectionName: true,
  disableClientInfo: true,
  clientInfoTag: true,
  username: true,
  password: true,
  db: true,
  autoResubscribe: true,
  autoResendUnfulfilledCommands: true,
  reconnectOnError: true,
  readOnly: true,
  stringNumbers: true,
  protocol: true,
  replyMapping: true,
  connectTimeout: true,
  monitor: true,
  maxRetriesPerRequest: true,
  maxLoadingRetryTime: true,
  enableAutoPipelining: true,
  autoPipeliningIgnoredCommands: true,
  offlineQueue: true,
  commandQueue: true,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  lazyConnect: true,
  scripts: true,
  himportFieldsets: true,
  keyPrefix: true,
  showFriendlyErrorStack: true,
  name: true,
  role: true,
  tls: true,
  sentinelUsername: true,
  sentinelPassword: true,
  sentinels: true,
  host: true,
  port: true,
  path: true,
  family: true,
  sentinelRetryStrategy: true,
  sentinelReconnectStrategy: true,
  preferredSlaves: true,
  disconnectTimeout: true,
  sentinelCommandTimeout: true,
  enableTLSForSentinelMode: true,
  sentinelTLS: true,
  natMap: true,
  updateSentinels: true,
  sentinelMaxConnections: true,
  failoverDetector: true,
}

const CLUSTER: Known<ClusterOptions> = {
  clusterRetryStrategy: true,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  scaleReads: true,
  maxRedirections: true,
  retryDelayOnFailover: true,
  retryDelayOnClusterDown: true,
  retryDelayOnTryAgain: true,
  retryDelayOnMoved: true,
  slotsRefreshTimeout: true,
  slotsRefreshInterval: true,
  shardedSubscribers: true,
  clusterNodeRetryStrategy: true,
  redisOptions: true,
  lazyConnect: true,
  useSRVRecords: true,
  resolveSrv: true,
  dnsLookup: true,
  natMap: true,
  enableAutoPipelining: true,
  autoPipeliningIgnoredCommands: true,
  scripts: true,
  himportFieldsets: true,
  keyPrefix: true,
  showFriendlyErrorStack: true,
}

/** What Node takes and its types do not know. */
const UNTYPED = { requestOCSP: true, blockList: true }

/** Names of options by what gets them. */
export const PASSED_ON = {
  tls: Object.keys({ ...TLS, ...SOCKET, ...UNTYPED }),
  server: Object.keys(SERVER),
  cluster: Object.keys(CLUSTER),
}

/** What is wrong with a name among options that are handed on; `undefined`: nothing. */
export function faultOfName(name: string, known: readonly string[]): string | undefined {
  return known.includes(name) ? undefined : `this property does not exist. ${knownNames(name, known)}`
}

/** {@link faultOfName} for a name in an address, which is repeated only where it is near a known one: it may be anything. */
export function faultInAddress(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined
  const shown = nearest(name, known) === undefined ? 'an option' : `its option ${quote(name)}`
  return `${shown} does not exist. ${knownNames(name, known)}`
}
