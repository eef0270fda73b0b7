import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertNames,
  assertObject,
  assertOptions,
  ConfigurationError,
  consoleLogger,
  type Keyring,
  type Known,
  type Logger,
} from '@authstate/spi'
import type { AuthState } from 'authstate'
import type { Examination } from 'authstate/redis/doctor'
import type { ConsoleAction } from './console-action.js'
import type { Operator } from './operator.js'

/** What {@link createConsole} takes. */
export interface ConsoleOptions {
  /** The running state of the deployment. Your application closes it, after the console. */
  readonly state: AuthState
  /**
   * Says who sends a request: asked on every one. `undefined` is refused with 401; a `Response`, such as a redirect to your login, is
   * sent as it is. What it throws is logged, and nothing is shown.
   */
  readonly authorize: (
    request: Request,
  ) => Operator | Response | undefined | Promise<Operator | Response | undefined>
  /** The realms that there are. Of the first 20 the overview keeps figures. */
  readonly realms: readonly string[] | (() => readonly string[] | Promise<readonly string[]>)
  /**
   * The keyring of the state. References to sessions and the forms of the pages are sealed with it.
   *
   * @default one of this process: then pages and forms of another node are refused here
   */
  readonly keyring?: Keyring | undefined
  /** `false` lets operators do what their rights allow. @default true: every action is refused */
  readonly readOnly?: boolean | undefined
  /** The path below which the console is mounted, such as `'/ops'`. @default '' */
  readonly basePath?: string | undefined
  /**
   * The address that browsers see, such as `'https://ops.example.org'`: behind a proxy that changes the name of the host.
   *
   * @default the host of the request
   */
  readonly origin?: string | undefined
  /** Examines Redis: `() => examine(redis)` of `authstate/redis/doctor`. @default none: the page of Redis has no findings */
  readonly doctor?: (() => Promise<Examination>) | undefined
  /** Shows addresses of users whole, and not only their network. @default false */
  readonly showAddresses?: boolean | undefined
  /**
   * Called twice for every action: before it, and with its result after it. If the first call
   * fails, nothing is done. The audit of the state, if it has one, is written without it.
   *
   * @default none
   */
  readonly onAction?: ((action: ConsoleAction) => void | Promise<void>) | undefined
  /** How many pages may be kept up to date at a time, 1 to 10 000. @default 50 */
  readonly maxStreams?: number | undefined
  /** @default warnings and errors to standard error */
  readonly logger?: Logger | undefined
}

/** A console: give it each request below its path. */
export interface Console {
  (request: Request): Promise<Response>
  /** Ends what keeps pages up to date, and refuses every request from then on. Twice is the same as once. */
  close(): Promise<void>
}

const OPTIONS: Known<ConsoleOptions> = {
  state: true,
  authorize: true,
  realms: true,
  keyring: true,
  readOnly: true,
  basePath: true,
  origin: true,
  doctor: true,
  showAddresses: true,
  onAction: true,
  maxStreams: true,
  logger: true,
}

/** Options with every default in place. */
export interface CheckedOptions extends ConsoleOptions {
  readonly readOnly: boolean
  readonly basePath: string
  readonly showAddresses: boolean
  readonly maxStreams: number
  readonly logger: Logger
}

/**
 * @throws {ConfigurationError} `authorize` is missing
 * @throws {TypeError | RangeError} an option is unknown, missing or cannot be
 */
export function checkOptions(options: unknown): CheckedOptions {
  assertOptions<ConsoleOptions>(options, 'options', OPTIONS)
  if (typeof options.authorize !== 'function') {
    throw new ConfigurationError(
      'authorize: a console needs a function that returns the operator of a request, as { id, can: { read: true } }; without it every visitor would see the console',
    )
  }
  const given = options as unknown as ConsoleOptions
  const { readOnly = true, basePath = '', showAddresses = false, maxStreams = 50 } = given
  const { logger = consoleLogger, realms, doctor, onAction, origin } = given
  assertObject(given.state as unknown, 'options.state')
  if (typeof realms !== 'function') assertNames(realms, 'options.realms')
  assertBoolean(readOnly, 'options.readOnly')
  assertBoolean(showAddresses, 'options.showAddresses')
  assertInteger(maxStreams, 'options.maxStreams', 1, 10_000)
  if (doctor !== undefined) assertFunction(doctor, 'options.doctor')
  if (onAction !== undefined) assertFunction(onAction, 'options.onAction')
  if (typeof basePath !== 'string' || !/^(\/[\w.~-]+)*$/.test(basePath)) {
    throw new TypeError(
      '"options.basePath" must be a path such as \'/ops\', of letters, digits and . _ ~ -, without a slash at its end',
    )
  }
  if (origin !== undefined && !isOrigin(origin)) {
    throw new TypeError(
      '"options.origin" must be an origin such as \'https://ops.example.org\', without a path',
    )
  }
  return { ...given, readOnly, basePath, showAddresses, maxStreams, logger }
}

function isOrigin(text: unknown): boolean {
  return typeof text === 'string' && URL.canParse(text) && new URL(text).origin === text
}
