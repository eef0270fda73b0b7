// Bugs on purpose: a provider of ours with one mistake in it, and the case of its suite that has to notice.
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type KeySpaceRules,
  providerTarget,
  redisTarget,
  type Suite,
  type Target,
} from '@authstate/conformance'
import type { RedisClient, Script } from '@authstate/redis'
import type { AnyProviderFactory, Provider, ProviderContext, ProviderFactory } from '@authstate/spi'

export interface PlantedBug {
  /** The kind of mistake: `'lost update'`. */
  readonly kind: string
  /** What is wrong. */
  readonly what: string
  /** Name of the case that has to notice. */
  readonly caughtBy: string
  // biome-ignore lint/suspicious/noExplicitAny: of every SPI
  readonly target: Target<any>
  /** What the case fails with when that is no comparison of its own: the provider threw. */
  readonly throws?: RegExp | undefined
  /** The case waits for what never comes. */
  readonly hangs?: boolean | undefined
}

/** The bugs in the providers of one SPI on one store. */
export interface Plantation {
  // biome-ignore lint/suspicious/noExplicitAny: of every SPI
  readonly suite: Suite<any>
  readonly store: string
  /** The same store without a mistake: every case named below passes on it. */
  // biome-ignore lint/suspicious/noExplicitAny: of every SPI
  readonly healthy: Target<any>
  readonly bugs: readonly PlantedBug[]
}

const shift = new AsyncLocalStorage<number>()

/** Runs a call in which the clock shows a time that is `ms` later. */
export const later = <T>(ms: number, call: () => T): T => shift.run(ms, call)

/** Lets whoever waits go first: what was read before it may be out of date behind it. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What a mistake can be made with. */
export interface Circumstances {
  readonly context: ProviderContext
}

/** The verbs that are wrong, made from those that are right. */
export type Mistake<P> = (real: P, circumstances: Circumstances) => Partial<P>

export interface FactoryMistake<C> {
  /** Changes the properties. */
  readonly config?: (config: C) => C
  /** What the case fails with when that is no comparison of its own. */
  readonly throws?: RegExp
  /** The case waits for what never comes. */
  readonly hangs?: true
  /** Verbs that the provider lacks. */
  readonly lacks?: readonly string[]
  /** How many entries the store holds: it is one whose size can be measured. */
  readonly size?: () => number
}

/** The factory of a provider with some verbs exchanged. */
export function withMistake<P extends Provider, C>(
  factory: ProviderFactory<P, C>,
  mistake: Mistake<P>,
  { config: change = (config) => config, lacks = [] }: FactoryMistake<C> = {},
): ProviderFactory<P, C> {
  return {
    ...factory,
    create: async (context, config) => {
      const clock = { now: () => context.clock.now() + (shift.getStore() ?? 0) }
      const warped: ProviderContext = Object.create(context, { clock: { value: clock } })
      const real = await factory.create(warped, change(config))
      const wrong = mistake(bound(real), { context: warped })
      if (lacks.length > 0) return without(real, lacks)
      return new Proxy(real, {
        get: (target, name) => {
          if (Object.hasOwn(wrong, name)) return wrong[name as keyof P]
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
}

/** A provider of the same verbs but some. */
function without<P extends object>(target: P, verbs: readonly string[]): P {
  const names = new Set<PropertyKey>()
  for (let level: object = target; level !== Object.prototype; level = Object.getPrototypeOf(level))
    for (const name of Reflect.ownKeys(level)) names.add(name)
  const kept = [...names].filter((name) => name !== 'constructor' && !verbs.includes(String(name)))
  const view = bound(target)
  return Object.fromEntries(kept.map((name) => [name, Reflect.get(view, name)])) as P
}

/** A view whose methods can be taken off it. */
function bound<P extends object>(target: P): P {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

type Plant<P, C> = (
  kind: string,
  what: string,
  caughtBy: string,
  mistake: Mistake<P>,
  more?: FactoryMistake<C>,
) => void

/** Bugs in a memory provider. */
export function inMemory<P extends Provider, C>(
  suite: Suite<P>,
  factory: () => ProviderFactory<P, C>,
  define: (plant: Plant<P, C>) => void,
  others: () => readonly AnyProviderFactory[] = () => [],
): Plantation {
  const targetWith = (mistake: Mistake<P>, more?: FactoryMistake<C>) =>
    providerTarget({
      spi: suite.spi,
      name: 'memory',
      factories: () => [withMistake(factory(), mistake, more), ...others()],
      nodes: 'one',
      openStore: () => (more?.size ? { size: more.size } : {}),
    })
  const bugs: PlantedBug[] = []
  define((kind, what, caughtBy, mistake, more) =>
    bugs.push({
      kind,
      what,
      caughtBy,
      target: targetWith(mistake, more),
      throws: more?.throws,
      hangs: more?.hangs,
    }))
  return { suite, store: 'memory', healthy: targetWith(() => ({})), bugs }
}

type Edit = (
  kind: string,
  what: string,
  caughtBy: string,
  script: Pick<Script, 'name' | 'lua' | 'sha1'>,
  from: string,
  to: string,
) => void

/** Bugs in scripts: a text of one is exchanged on its way to Redis. */
export function inScripts<P extends Provider>(
  suite: Suite<P>,
  under: { readonly factories: readonly AnyProviderFactory[]; readonly keySpace: KeySpaceRules },
  client: () => RedisClient,
  define: (edit: Edit) => void,
): Plantation {
  const targetWith = (wrap?: (client: RedisClient) => RedisClient) =>
    redisTarget({ name: 'redis', spi: suite.spi, ...under, client, ...(wrap && { wrap }) })
  const bugs: PlantedBug[] = []
  define((kind, what, caughtBy, script, from, to) => {
    const lua = script.lua.replace(from, () => to)
    const isThere = script.lua.split(from).length === 2
    const target = isThere ? targetWith((real) => exchange(real, script, lua)) : missing(script.name, from)
    bugs.push({ kind, what, caughtBy, target })
  })
  return { suite, store: 'redis', healthy: targetWith(), bugs }
}

/** What is said of a bug whose script has changed. */
function missing(script: string, text: string): Target<never> {
  const open = () => Promise.reject(new Error(`the text to exchange must be in ${script} once: ${text}`))
  return { name: 'redis', open }
}

/** A view on a client that runs another script in place of one. */
function exchange(
  client: RedisClient,
  { sha1, lua }: Pick<Script, 'lua' | 'sha1'>,
  other: string,
): RedisClient {
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'evalsha' && name !== 'eval') return value.bind(target)
      return (text: string, ...args: (string | number)[]) =>
        text === sha1 || text === lua
          ? target.eval(other, ...(args as [number]))
          : (value as Function).call(target, text, ...args)
    },
  })
}
