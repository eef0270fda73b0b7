import { resolve } from 'node:path'
import type { AnyProviderFactory, Logger, StandardSchemaV1 } from '@authstate/spi'
import { type AuthState, type AuthStateConfig, createAuthState } from 'authstate'
import { checkConfiguration } from 'authstate/configuration'
import { type RedisOptions, redisConnection } from 'authstate/redis'
import { CommandError, EXIT } from './exit-codes.js'
import { exportOf, findFile, readConfiguration, readText } from './files.js'
import { plain } from './output.js'
import type { Surroundings } from './surroundings.js'

/** Options by which every command finds its deployment. */
export interface DeploymentOptions {
  readonly config?: string | undefined
  readonly plugin?: readonly string[] | undefined
  readonly url?: string | undefined
  readonly urlFile?: string | undefined
}

/** Services in the order in which the state has them; each command starts those that it needs. */
const SERVICES = [
  'user-session',
  'auth-session',
  'action-token',
  'web-session',
  'login-failure',
  'realm-cache',
  'sticky-session-encoder',
  'cluster',
] as const

export type ServiceName = (typeof SERVICES)[number]

/**
 * The configuration of the deployment: from a file, then from variables, then from `--url`.
 *
 * @throws {CommandError} a file cannot be read, or an address would show a password
 */
export async function configurationOf(
  options: DeploymentOptions,
  { cwd, env }: Surroundings,
): Promise<AuthStateConfig> {
  const file = await findFile(cwd, options.config)
  const read = file === undefined ? {} : await readConfiguration(file)
  const url = await urlOf(options, cwd)
  const providers = [...(read.providers ?? []), ...(await pluginsOf(options.plugin ?? [], cwd))]
  return {
    ...read,
    ...(providers.length > 0 && { providers }),
    ...(url !== undefined && { provider: 'redis', redis: { ...sharedOf(read), url } }),
    env: env as Record<string, string | undefined>,
  } as AuthStateConfig
}

/**
 * The address of Redis that was given.
 *
 * @throws {CommandError} it holds a password, which everybody on this machine can see, or two are given
 */
async function urlOf({ url, urlFile }: DeploymentOptions, cwd: string): Promise<string | undefined> {
  if (url !== undefined && urlFile !== undefined) {
    throw new CommandError(EXIT.usage, '--url and --url-file say the same thing: give one of them')
  }
  if (urlFile !== undefined) return (await readText(resolve(cwd, urlFile))).trim()
  if (url !== undefined && /^[^/]*:\/\/[^/@]*:[^/@]+@/.test(url)) {
    throw new CommandError(
      EXIT.usage,
      '--url: a password in the arguments can be read by everybody on this machine. Give it in AUTHSTATE_REDIS__URL or in a file: --url-file',
    )
  }
  return url
}

/** What a section says of Redis besides how to reach it. */
function sharedOf({ redis }: AuthStateConfig): Record<string, unknown> {
  const { url, client, sentinels, name, nodes, ...shared } = (redis ?? {}) as Record<string, unknown>
  return shared
}

/** Factories of providers that modules export. */
export async function pluginsOf(files: readonly string[], cwd: string): Promise<AnyProviderFactory[]> {
  const loaded = await Promise.all(files.map((file) => exportOf(resolve(cwd, file))))
  return loaded.flat() as AnyProviderFactory[]
}

/**
 * How the configuration reaches Redis, with its passwords.
 *
 * @throws {ConfigurationError} the configuration has a mistake
 * @throws {CommandError} nothing in it is on Redis
 */
export async function redisOf(config: AuthStateConfig): Promise<RedisOptions> {
  const factory = redisConnection()
  const standard = (factory.config as StandardSchemaV1)['~standard']
  let given: RedisOptions | undefined
  const noting = {
    ...factory,
    config: {
      ...factory.config,
      '~standard': {
        ...standard,
        validate: (value: unknown) => {
          given = value as RedisOptions
          return standard.validate(value)
        },
      },
    },
  } as unknown as AnyProviderFactory
  await checkConfiguration({ ...config, providers: [...(config.providers ?? []), noting] })
  if (given !== undefined) return given
  throw new CommandError(
    EXIT.configuration,
    'nothing here is on Redis: name a configuration with --config, set AUTHSTATE_PROVIDER=redis and AUTHSTATE_REDIS__URL, or give --url',
  )
}

/**
 * Starts what a command needs of the deployment, and nothing else: so it is no node that others see come and go, unless it
 * must be.
 *
 * @throws {CommandError} the state is in the memory of another process
 */
export async function openState(
  options: DeploymentOptions,
  surroundings: Surroundings,
  needed: readonly ServiceName[],
): Promise<{ readonly state: AuthState; readonly config: AuthStateConfig }> {
  const config = await configurationOf(options, surroundings)
  const { spis } = await checkConfiguration(config)
  for (const name of needed) {
    if (spis[name]?.selected !== 'memory') continue
    throw new CommandError(
      EXIT.configuration,
      `${name} is kept in memory, so only its own process can see it. To look at a deployment on Redis, name its configuration with --config, set AUTHSTATE_PROVIDER=redis and AUTHSTATE_REDIS__URL, or give --url`,
    )
  }
  const idle = SERVICES.filter((name) => !needed.includes(name))
  const sections: Record<string, unknown> = { ...config.spi }
  for (const name of idle) sections[name] = { enabled: false }
  // What is switched off may be selected or configured by a variable: such variables are about other services.
  const env = withoutServices(config.env ?? {}, idle)
  const spi = sections as NonNullable<AuthStateConfig['spi']>
  const state = await createAuthState({
    ...config,
    env,
    spi,
    logger: loggerTo(surroundings),
  } as AuthStateConfig)
  return { state, config }
}

function withoutServices(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string | undefined> {
  const words = names.map((name) => name.toUpperCase().replace(/-/g, '_'))
  const isIdle = (variable: string) =>
    words.some((word) => new RegExp(`^AUTHSTATE_(SPI__)?${word}__`, 'i').test(variable))
  return Object.fromEntries(Object.entries(env).filter(([variable]) => !isIdle(variable)))
}

/** Warnings and errors as lines that a person can read. */
function loggerTo({ stderr }: Surroundings): Logger {
  const say = (level: string) => (_fields: object, message: string) =>
    stderr.write(`${level}: ${plain(message)}\n`)
  return { debug: () => {}, info: () => {}, warn: say('warning'), error: say('error') }
}
