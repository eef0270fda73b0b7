import { createHash, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import * as tls from 'node:tls'
import { ConfigurationError, type Logger } from '@authstate/spi'
import type { HttpClientConfig } from './config.js'
import { systemCode } from './errors.js'
import { hostPattern } from './hosts.js'

const PEM = /-----BEGIN [A-Z0-9 ]+-----/

/** Errors of files that could not be read, such as where too many files are open: each request tries again. */
const UNREAD = new WeakSet<Error>()

type CertificateConfig = HttpClientConfig['clientCertificates'][number]

/** What was read of one client certificate. */
interface ClientCertificate {
  readonly options: tls.SecureContextOptions
  readonly thumbprint: string | undefined
}

/** All that was read from the files of a configuration at one time. */
interface Material {
  readonly ca: readonly string[]
  readonly certificates: readonly ClientCertificate[]
}

/**
 * What TLS connections are made with: authorities and client certificates, from texts and from files.
 *
 * A file that changed is read again before the next request. One that cannot be used then, such as one that is half written,
 * leaves what was read before in force, and the log says so once. It is read again when it changes, or, where it could not be
 * read at all, before each request.
 */
export class TlsFiles {
  readonly #config: HttpClientConfig
  readonly #logger: Logger
  readonly #matches: readonly ((host: string) => boolean)[]
  readonly #files: readonly string[]
  #stamps = ''
  #failedStamps = ''
  /** Whether a file could not be read at the last attempt, which may pass without a change of the file. */
  #isUnread = false
  #material: Material = { ca: [], certificates: [] }
  #contexts = new Map<number, tls.SecureContext>()
  /** Counts how often something was read: a connection of an earlier number is not used again. */
  generation = 0

  private constructor(config: HttpClientConfig, logger: Logger) {
    this.#config = config
    this.#logger = logger
    this.#matches = config.clientCertificates.map(({ hosts }) => {
      const patterns = hosts.map(hostPattern)
      return (host) => patterns.some((matches) => matches(host))
    })
    const named = [...config.ca, ...config.clientCertificates.flatMap(({ cert, key }) => [cert, key])]
    this.#files = [
      ...named.filter((text): text is string => text !== undefined && !PEM.test(text)),
      ...config.clientCertificates.flatMap(({ pfx }) => pfx ?? []),
    ]
  }

  /** @throws {ConfigurationError} a file cannot be read, or does not hold what it should */
  static async open(config: HttpClientConfig, logger: Logger): Promise<TlsFiles> {
    const files = new TlsFiles(config, logger)
    files.#stamps = await files.#stampsOfFiles()
    files.#material = await files.#read()
    return files
  }

  /** Reads again what changed on the disk. */
  async refresh(): Promise<void> {
    if (this.#files.length === 0) return
    const stamps = await this.#stampsOfFiles().catch(() => 'gone')
    if (stamps === this.#stamps || (stamps === this.#failedStamps && !this.#isUnread)) return
    try {
      this.#material = await this.#read()
      this.#stamps = stamps
      this.#contexts = new Map()
      this.#isUnread = false
      this.generation++
    } catch (error) {
      this.#isUnread = UNREAD.has(error as Error)
      if (stamps === this.#failedStamps) return
      this.#failedStamps = stamps
      this.#logger.warn(
        { error: error instanceof Error ? error.message : typeof error },
        'http-client: a file of "ca" or "clientCertificates" changed and cannot be used; what was read before stays in force',
      )
    }
  }

  /** What a connection is made with. @param host That of a target; `undefined` for a proxy, which no client certificate is for. */
  contextFor(host: string | undefined): tls.SecureContext {
    const index = host === undefined ? -1 : this.#indexFor(host)
    const known = this.#contexts.get(index)
    if (known !== undefined) return known
    const { ca, certificates } = this.#material
    const context = tls.createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca.length > 0 && { ca: [...(this.#config.caMode === 'add' ? trustedByNode() : []), ...ca] }),
      ...certificates[index]?.options,
    })
    this.#contexts.set(index, context)
    return context
  }

  /** SHA-256 of the client certificate for a host, in base64url. */
  thumbprintFor(host: string): string | undefined {
    return this.#material.certificates[this.#indexFor(host)]?.thumbprint
  }

  /** The first client certificate that is for a host; -1 for none. */
  #indexFor(host: string): number {
    return this.#matches.findIndex((matches) => matches(host))
  }

  async #stampsOfFiles(): Promise<string> {
    const stats = await Promise.all(this.#files.map((file) => stat(file).catch(() => undefined)))
    return stats
      .map((item) => (item === undefined ? '-' : `${item.mtimeMs} ${item.ctimeMs} ${item.size} ${item.ino}`))
      .join()
  }

  async #read(): Promise<Material> {
    const { ca, clientCertificates } = this.#config
    return {
      ca: await Promise.all(
        ca.map(async (entry, index) => {
          const place = `spi.http-client.ca[${index}]`
          const pem = await textOf(entry, place)
          if (!/-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(pem))
            throw new ConfigurationError(`${place}: has no certificate in PEM`)
          return pem
        }),
      ),
      certificates: await Promise.all(
        clientCertificates.map((entry, index) =>
          certificateOf(entry, `spi.http-client.clientCertificates[${index}]`),
        ),
      ),
    }
  }
}

async function textOf(entry: string, place: string): Promise<string> {
  return PEM.test(entry) ? entry : (await contentOf(entry, place)).toString()
}

async function contentOf(file: string, place: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const code = systemCode(error) ?? 'unknown'
    const failure = new ConfigurationError(`${place}: the file cannot be read (${code})`)
    UNREAD.add(failure)
    throw failure
  }
}

async function certificateOf(entry: CertificateConfig, place: string): Promise<ClientCertificate> {
  const { cert, key, pfx, passphrase } = entry
  const options: tls.SecureContextOptions = {
    ...(cert !== undefined && { cert: await textOf(cert, `${place}.cert`) }),
    ...(key !== undefined && { key: await textOf(key, `${place}.key`) }),
    ...(pfx !== undefined && { pfx: await contentOf(pfx, `${place}.pfx`) }),
    ...(passphrase !== undefined && { passphrase }),
  }
  try {
    const { context } = tls.createSecureContext(options)
    const der = (context as { getCertificate?(): Buffer | null }).getCertificate?.()
    const raw = der ?? new X509Certificate(String(options.cert)).raw
    return { options, thumbprint: createHash('sha256').update(raw).digest('base64url') }
  } catch {
    // The message of OpenSSL may quote what it read.
    throw new ConfigurationError(
      `${place}: the certificate, its key and the passphrase do not fit together, or are not readable`,
    )
  }
}

/** What Node trusts by itself. Later versions also know the system's authorities. */
function trustedByNode(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] }
  return getCACertificates?.('default') ?? tls.rootCertificates
}
