import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ConfigurationError, StoreUnavailableError } from '@authstate/spi'
import { isError, isPlainObject, timers } from '@authstate/spi/internal'
import type { RedisOptions as IoredisOptions } from 'ioredis'

/** The user that connects. */
export interface RedisCredentials {
  /** ACL user. @default the user `default` */
  readonly username?: string | undefined
  readonly password: string
}

/** Returns the user that connects, or a promise of it: for passwords and tokens that rotate. */
export type CredentialsSource = () => RedisCredentials | Promise<RedisCredentials>

/**
 * The credentials of one client. They are asked for before each connection is made. What cannot be asked then leaves those of
 * before: the server decides whether they still do.
 */
export class Credentials {
  readonly #source: CredentialsSource
  readonly #timeoutMs: number
  #last: RedisCredentials | undefined
  #asking: Promise<void> | undefined
  /** What was asked for ahead of the first connection is good for it. */
  #isAhead = false

  constructor(source: CredentialsSource, timeoutMs: number) {
    this.#source = source
    this.#timeoutMs = timeoutMs
  }

  /**
   * Asks before there is a client.
   *
   * @param leftMs How long the answer is waited for.
   * @throws {ConfigurationError} the answer is none
   * @throws {StoreUnavailableError} the function failed, or did not answer in time
   */
  async askAhead(leftMs: number): Promise<void> {
    await this.#ask(leftMs)
    this.#isAhead = true
  }

  /** Asks for a connection that is about to be made; together with others that are. */
  async renew(): Promise<void> {
    if (this.#isAhead) {
      this.#isAhead = false
      return
    }
    this.#asking ??= this.#ask()
      .catch((error: unknown) => {
        if (this.#last === undefined) throw error
      })
      .finally(() => {
        this.#asking = undefined
      })
    await this.#asking
  }

  /**
   * User and password as options of a client: objects that become text when a connection says them, because clients of a Cluster
   * copy their options before they connect.
   */
  get options(): IoredisOptions {
    const said = (read: (last: RedisCredentials) => string) => ({
      toString: () => (this.#last === undefined ? '' : read(this.#last)),
    })
    return {
      username: said(({ username = 'default' }) => username) as unknown as string,
      password: said(({ password }) => password) as unknown as string,
    }
  }

  async #ask(ms = this.#timeoutMs): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = timers.setTimeout(() => reject(failed(`gave no answer within ${this.#timeoutMs} ms`)), ms)
    })
    try {
      const answer: unknown = await Promise.race([this.#called(), late])
      this.#last = checked(answer)
    } finally {
      timers.clearTimeout(timer)
    }
  }

  /** Its error may contain anything, so only the name of the error is shown. */
  async #called(): Promise<unknown> {
    try {
      return await this.#source()
    } catch (error) {
      throw failed(`failed with ${isError(error) ? error.name : 'what is no error'}`)
    }
  }
}

const failed = (what: string): StoreUnavailableError =>
  new StoreUnavailableError(`redis: there are no credentials: redis.credentials ${what}`, { applied: 'no' })

function checked(answer: unknown): RedisCredentials {
  const given = isPlainObject(answer) ? answer : {}
  const { username, password } = given
  const isName = username === undefined || (typeof username === 'string' && username !== '')
  const isKnown = Object.keys(given).every((name) => name === 'username' || name === 'password')
  if (isName && isKnown && typeof password === 'string' && password !== '') return answer as RedisCredentials
  throw new ConfigurationError(
    'redis.credentials: must answer { username, password } or { password }, texts that are not empty, and nothing else',
  )
}

/** The parts of ioredis that connectors are made of. */
export interface ConnectorParts {
  readonly AbstractConnector: new (
    disconnectTimeout: number,
  ) => { connecting: boolean; stream?: unknown; disconnect(): void; check(info: unknown): boolean }
  readonly SentinelConnector: new (
    options: unknown,
  ) => { connecting: boolean; connect(emit: unknown): Promise<unknown> }
}

const ENDED = 'Connection is closed.'

/** A connector of ioredis that asks for credentials first: to one server, or to the master that sentinels name. */
export function connectorAsking(
  { AbstractConnector, SentinelConnector }: ConnectorParts,
  credentials: Credentials,
  isBySentinels: boolean,
): IoredisOptions {
  class Direct extends AbstractConnector {
    readonly #options: IoredisOptions
    firstError: Error | undefined

    constructor(options: IoredisOptions) {
      super(options.disconnectTimeout as number)
      this.#options = options
    }

    async connect(): Promise<unknown> {
      this.connecting = true
      await credentials.renew()
      if (!this.connecting) throw new Error(ENDED)
      const { path, host, port, family, tls } = this.#options
      const to = path ? { path } : { host: host as string, port: port as number, ...(family && { family }) }
      const stream = tls ? connectTls({ ...to, ...tls }) : connectPlain(to)
      stream.once('error', (error) => {
        this.firstError = error
      })
      this.stream = stream
      return stream
    }
  }

  class BySentinels extends SentinelConnector {
    override async connect(emit: unknown): Promise<unknown> {
      this.connecting = true
      await credentials.renew()
      if (!this.connecting) throw new Error(ENDED)
      return super.connect(emit)
    }
  }

  return {
    Connector: (isBySentinels ? BySentinels : Direct) as unknown as NonNullable<IoredisOptions['Connector']>,
  }
}
