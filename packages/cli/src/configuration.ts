import { resolve } from 'node:path'
import type { AnyProviderFactory, Logger, StandardSchemaV1 } from '@authstate/spi'
import { fold } from '@authstate/spi/internal'
import { type AuthState, type AuthStateConfig, createAuthState } from 'authstate'
import { checkConfiguration, type Description } from 'authstate/configuration'
import { type RedisOptions, redisConnection } from 'authstate/redis'
import { namesAudit, withAudit } from './audit.js'
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
  /** Whether the audit is only read: then its folder need not be writable. */
  readonly readsAudit?: boolean | undefined
}

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
  const own = [...(read.providers ?? []), ...(await pluginsOf(options.plugin ?? [], cwd))]
  const providers = namesAudit(read, env) ? await withAudit(own, options.readsAudit === true) : own
  return {
    ...read,
    ...(providers.length > 0 && { providers }),
    ...(url !== undefined && { provider: 'redis', redis: { ...sharedOf(read), url } }),
    env: url === undefined ? env : without(env, isWayToRedis),
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
      '--url: every user of this machine can read a password in the arguments. Give it in AUTHSTATE_REDIS__URL or in a file: --url-file',
    )
  }
  return url
}

const WAYS = ['url', 'client', 'sentinels', 'name', 'nodes']

/** Whether a variable says where the state is: what `--url` says instead. */
const isWayToRedis = (section: string, property: string): boolean =>
  section === 'provider' || (section === 'redis' && WAYS.includes(property))

/** What a section says of Redis, except how to reach it. */
function sharedOf({ redis }: AuthStateConfig): Record<string, unknown> {
  return Object.fromEntries(Object.entries(redis ?? {}).filter(([property]) => !WAYS.includes(property)))
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
  const nothing = new CommandError(EXIT.configuration, `nothing here is on Redis. ${HOW_TO_REACH}`)
  const { spis } = await checkConfiguration(config)
  if ((spis['redis']?.neededBy ?? []).length === 0) throw nothing
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
  throw nothing
}

/**
 * Starts what a command needs of the deployment, and nothing else: so it is no node that others see come and go, unless it
 * must be.
 *
 * @param wanted Names of services. Services without a provider are left out. So are services in
 * memory; a message says so.
 * @throws {CommandError} none is left
 */
export async function openState(
  options: DeploymentOptions,
  surroundings: Surroundings,
  wanted: readonly string[],
): Promise<{ readonly state: AuthState; readonly config: AuthStateConfig; readonly saysRealms: boolean }> {
  const config = await configurationOf(options, surroundings)
  const { spis } = await checkConfiguration(config)
  const provided = wanted.filter((name) => spis[name]?.selected !== undefined)
  const needed = provided.filter((name) => spis[name]?.selected !== 'memory')
  const inMemory = provided.filter((name) => !needed.includes(name)).join(', ')
  if (needed.length === 0) {
    const why =
      inMemory === '' ? 'it has no provider' : `it is kept in memory, so only its own process can see it`
    throw new CommandError(EXIT.configuration, `${wanted.join(', ')}: ${why}. ${HOW_TO_REACH}`)
  }
  if (inMemory !== '')
    surroundings.stderr.write(`left out, as only its own process can see it: ${inMemory}\n`)
  const idle = idleBeside(needed, spis)
  const spi = { ...config.spi, ...Object.fromEntries(idle.map((name) => [name, { enabled: false }])) }
  const logger = loggerTo(surroundings)
  // What is kept elsewhere needs no Redis, and a connection that nobody uses is a mistake.
  const needsRedis = spis['redis']?.neededBy.some((by) => !idle.includes(by)) ?? false
  const redis = needsRedis ? config.redis : undefined
  const env = without(
    config.env,
    (section) => idle.some((name) => fold(name) === section) || (section === 'redis' && !needsRedis),
  )
  const saysRealms = config.realms !== undefined
  // A realm of which nothing is said counts as unprotected: nobody would be shown as locked.
  const realms = config.realms ?? (() => ({ bruteForce: { enabled: true } }))
  const state = await createAuthState({ ...config, redis, env, spi, logger, realms } as AuthStateConfig)
  return { state, config, saysRealms }
}

const HOW_TO_REACH =
  'To look at a deployment on Redis, name its configuration with --config, set AUTHSTATE_PROVIDER=redis and AUTHSTATE_REDIS__URL, or give --url'

/** The SPIs that nothing of what is needed depends on. */
function idleBeside(needed: readonly string[], spis: Description['spis']): string[] {
  const used = new Set([...needed, 'redis'])
  // Each new one may depend on others.
  for (let before = 0; before < used.size; ) {
    before = used.size
    for (const [name, { neededBy }] of Object.entries(spis))
      if (neededBy.some((by) => used.has(by))) used.add(name)
  }
  return Object.keys(spis).filter((name) => !used.has(name))
}

/** Variables, but for some of ours: by the folded words of their names, the first of which is the section. */
function without(
  env: AuthStateConfig['env'],
  isLeftOut: (section: string, property: string) => boolean,
): Record<string, string | undefined> {
  const kept = Object.entries(env ?? {}).filter(([variable]) => {
    const words = /^AUTHSTATE_(.*)$/s.exec(variable)?.[1]?.split('__').map(fold)
    const [section, property = ''] = words?.[0] === 'spi' ? words.slice(1) : (words ?? [])
    return section === undefined || !isLeftOut(section, property)
  })
  return Object.fromEntries(kept)
}

/** Warnings and errors as lines that a person can read. */
function loggerTo({ stderr }: Surroundings): Logger {
  const say = (level: string) => (_fields: object, message: string) =>
    stderr.write(`${level}: ${plain(message)}\n`)
  return { debug: () => {}, info: () => {}, warn: say('warning'), error: say('error') }
}
