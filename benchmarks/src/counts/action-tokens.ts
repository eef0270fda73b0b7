import { type ActionTokenProvider, actionTokenSpi } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { Redis } from 'ioredis'
import { codeOf } from '../code.js'
import type { Fact, Report } from '../finding.js'
import { REALM } from '../login.js'
import type { Surroundings } from '../measure.js'
import { OidcProviderAdapter } from '../oidc-provider-adapter.js'
import { openStore, type Store } from '../open-store.js'
import { openWire } from '../wire.js'
import { footprint } from './memory.js'
import { oneTripEach, trafficOf } from './verbs.js'

const TOKENS = 200
const RACERS = 10
const CONNECTIONS = 4
const STORED = 10_000
const token = { lifespanMs: 600_000 }

const openTokens = (url: string): Promise<Store> =>
  openStore({ url, nodes: [], prefix: 'authstate', variant: 'batched' }, [redisActionTokens()])

export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const wire = await openWire(url)
  const stores = [await openTokens(wire.url)]
  while (stores.length < CONNECTIONS) stores.push(await openTokens(url))
  const providers = stores.map(({ registry }) => registry.get(actionTokenSpi))
  const [first] = providers as [ActionTokenProvider]
  const { id, data } = codeOf(0)
  try {
    const traffic = await trafficOf(wire, [
      { name: 'put', run: () => first.put(REALM, 'code', id, { ...token, data, family: 'f1' }) },
      { name: 'look', run: () => first.get(REALM, 'code', id) },
      { name: 'consume', run: () => first.consume(REALM, 'code', id) },
    ])
    const size = await footprint(redis, STORED, (n) => first.put(REALM, 'code', codeOf(n).id, token))
    const index = size.byKind['ar'] ?? 0
    const accepted = await race(
      (n) => first.put(REALM, 'code', codeOf(n).id, token),
      async (n, racer) => {
        const provider = providers[racer % CONNECTIONS] as ActionTokenProvider
        return (await provider.consume(REALM, 'code', codeOf(n).id)).outcome === 'consumed'
      },
    )
    return {
      findings: [
        ...oneTripEach('action tokens', traffic),
        {
          target: 'D4',
          name: 'a single-use token in Redis, without the index of the realm',
          value: size.perItem - index,
          unit: 'bytes',
          bound: { atMost: 227 },
          detail: `${Math.round(index)} more in the index of the realm`,
        },
        {
          target: 'D5',
          name: `of ${TOKENS} tokens, those that exactly one of ${RACERS} racers gets`,
          value: accepted.filter((n) => n === 1).length / TOKENS,
          unit: 'of all',
          bound: { atLeast: 1 },
        },
      ],
      facts: [
        racing('authstate', accepted),
        racing('oidc-provider adapter: find, look, consume', await raceTheAdapter(url)),
      ],
    }
  } finally {
    await Promise.all(stores.map((store) => store.close()))
    await wire.stop()
    redis.disconnect()
  }
}

/** How many racers got each token. */
async function race(
  put: (n: number) => Promise<unknown>,
  take: (n: number, racer: number) => Promise<boolean>,
): Promise<readonly number[]> {
  const accepted: number[] = []
  for (let n = 0; n < TOKENS; n++) {
    await put(n)
    const won = await Promise.all(Array.from({ length: RACERS }, (_, racer) => take(n, racer)))
    accepted.push(won.filter(Boolean).length)
  }
  return accepted
}

async function raceTheAdapter(url: string): Promise<readonly number[]> {
  const clients = Array.from({ length: CONNECTIONS }, () => new Redis(url))
  const adapters = clients.map((client) => new OidcProviderAdapter(client, 'oidc', 'AuthorizationCode'))
  try {
    return await race(
      (n) => (adapters[0] as OidcProviderAdapter).upsert(codeOf(n).id, { grantId: `g${n}` }, 600),
      async (n, racer) => {
        const adapter = adapters[racer % CONNECTIONS] as OidcProviderAdapter
        const found = await adapter.find(codeOf(n).id)
        if (found === undefined || found.consumed !== undefined) return false
        await adapter.consume(codeOf(n).id)
        return true
      },
    )
  } finally {
    for (const client of clients) client.disconnect()
  }
}

const racing = (name: string, accepted: readonly number[]): Fact => ({
  group: `${TOKENS} tokens, ${RACERS} racers each`,
  name,
  values: {
    'accepted twice or more': accepted.filter((n) => n > 1).length,
    'never accepted': accepted.filter((n) => n === 0).length,
    'acceptances per token': Number((accepted.reduce((sum, n) => sum + n, 0) / TOKENS).toFixed(2)),
  },
})
