import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { actionTokenSpi, memoryActionTokens } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { clusterSpi, memoryCluster } from '@authstate/cluster'
import { redisCluster } from '@authstate/cluster/redis'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type Clock, systemClock } from '@authstate/spi'
import { memoryWebSessions, webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import { onTestFinished } from 'vitest'
import type { Adapter, AdapterState, Payload } from '../src/index.js'

/** What a state is made of, where it is not the memory of this process. */
export interface StateOptions {
  readonly over?: { readonly client: RedisClient; readonly prefix: string }
  readonly clock?: Clock
  readonly actionToken?: object
  readonly webSession?: object
}

/** A node that keeps models in memory, or in a Redis under a prefix. */
export async function openState({
  over,
  clock = systemClock,
  actionToken,
  webSession,
}: StateOptions = {}): Promise<AdapterState> {
  const provider = over ? 'redis' : 'memory'
  const registry = createProviderRegistry({
    factories: over
      ? [redisActionTokens(), redisCluster(), redisWebSessions(), redisConnection()]
      : [memoryActionTokens(), memoryCluster(), memoryWebSessions()],
    config: {
      ...(over && { redis: over }),
      spi: {
        'action-token': { provider, readGraceMs: 60_000, ...actionToken },
        'web-session': { provider, ...webSession },
        cluster: { provider },
      },
    },
    ...(over === undefined && { clock }),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return {
    actionTokens: registry.get(actionTokenSpi),
    webSessions: registry.get(webSessionSpi),
    cluster: registry.get(clusterSpi),
  }
}

/** A request to oidc-provider. */
export interface FakeRequest {
  readonly ctx: object
  /** Ends its response. */
  end(): void
}

/** Stands for the class of oidc-provider: it says which request is worked on. */
export class FakeProvider {
  /** Events that oidc-provider was made to emit. */
  readonly told: [event: string, ...args: unknown[]][] = []
  readonly #requests = new AsyncLocalStorage<object>()

  get ctx(): unknown {
    return this.#requests.getStore()
  }

  request(route: string, entities: Readonly<Record<string, unknown>> = {}): FakeRequest {
    const res = new EventEmitter()
    const emit = (...event: [string, ...unknown[]]) => void this.told.push(event)
    return {
      ctx: { res, oidc: { route, entities, provider: { emit } } },
      end: () => void res.emit('close'),
    }
  }

  within<T>({ ctx }: FakeRequest, work: () => T): T {
    return this.#requests.run(ctx, work)
  }
}

/** A key-value store with the methods of an adapter, which is what people write first. */
export function plainAdapter(): (
  model: string,
) => Pick<Adapter, 'upsert' | 'find' | 'findByUid' | 'consume' | 'destroy'> {
  const stored = new Map<string, Payload>()
  const uids = new Map<string, string>()
  return (model) => {
    const find = async (id: string) => stored.get(`${model}:${id}`)
    return {
      find,
      async upsert(id, payload) {
        stored.set(`${model}:${id}`, payload)
        if (payload['uid'] !== undefined) uids.set(payload['uid'] as string, id)
      },
      findByUid: async (uid) => find(uids.get(uid) ?? ''),
      async consume(id) {
        stored.set(`${model}:${id}`, { ...(await find(id)), consumed: true })
      },
      async destroy(id) {
        stored.delete(`${model}:${id}`)
      },
    }
  }
}
