import type { RedisClient } from '@authstate/redis'
import {
  applicationNodeKeySpace,
  applicationNodeSuite,
  suiteHttpClient,
  suiteOptions,
} from '../../packages/application-node/src/conformance.js'
import { memoryApplicationNodes } from '../../packages/application-node/src/index.js'
import { redisApplicationNodes } from '../../packages/application-node/src/redis.js'
import * as scripts from '../../packages/application-node/src/scripts.js'
import { inMemory, inScripts } from './plant.js'

const anew = 'retry: until the receiver has it, each time with a token of its own'

export const applicationNodeBugs = inMemory(
  applicationNodeSuite,
  () => memoryApplicationNodes(suiteOptions),
  (plant) => {
    plant(
      'wrong realm',
      'nodes of another realm are listed',
      'list: another realm and another client have none of them',
      (real) => ({ list: (_realmId, clientId) => real.list('r', clientId) }),
    )
    plant(
      'guard',
      'every host may be registered',
      'register: without rules only the hosts of the URLs',
      (real) => ({
        register: async (realmId, clientId, node) => {
          const outcome = await real.register(realmId, clientId, node)
          if (outcome.outcome !== 'refused') return outcome
          return real.register(realmId, clientId, { host: 'shop.example.com' })
        },
      }),
    )
    plant(
      'lost entry',
      'a node that leaves takes the entry of the administrator with it',
      'unregister: an entry that an administrator made stays',
      (real) => ({ unregister: (realmId, clientId, host) => real.removeNode(realmId, clientId, host) }),
    )
    plant(
      'sent twice',
      'an announcement with a key is announced each time',
      'announce: with the key of another announcement it is the same delivery, and nothing is sent twice',
      (real) => ({
        announce: (realmId, announcement, { dedupeKey: _, ...options } = {}) =>
          real.announce(realmId, announcement, options),
      }),
    )
    plant(
      'waits',
      'announce sends before it answers',
      'announce: answers before anything is sent, and tells what became of each message',
      (real) => ({
        announce: async (realmId, announcement, options) => {
          const announced = await real.announce(realmId, announcement, options)
          await real.deliverDue()
          return announced
        },
      }),
    )
    plant('lost message', 'a message is sent once', anew, (real) => ({ deliverDue: real.deliverDue }), {
      config: (config) => ({ ...config, maxAttempts: 1 }),
    })
    plant(
      'lost message',
      'a letter that is sent anew is taken out and forgotten',
      'dead: after all attempts a message is a letter without a token, and can be sent anew',
      (real) => ({ retryDead: (realmId, id) => real.discardDead(realmId, id) }),
    )
    plant(
      'dishonest',
      'a message that failed is told as delivered',
      'retry: not after an answer that stays the same, and no redirect is followed',
      (real) => ({
        delivery: async (realmId, deliveryId) => {
          const delivery = await real.delivery(realmId, deliveryId)
          const targets = delivery?.targets.map((target) => ({ ...target, state: 'delivered' as const }))
          return delivery && { ...delivery, targets: targets ?? [] }
        },
      }),
    )
    plant(
      'no bound',
      'the queue of a realm has no bound',
      'refused: messages beyond the bound of a realm, and it is told',
      () => ({}),
      { config: (config) => ({ ...config, maxQueued: 100_000 }) },
    )
  },
  () => [suiteHttpClient()],
)

export const applicationNodeScriptBugs = (client: () => RedisClient) =>
  inScripts(
    applicationNodeSuite,
    {
      factories: [redisApplicationNodes(suiteOptions), suiteHttpClient()],
      keySpace: applicationNodeKeySpace,
    },
    client,
    (edit) => {
      edit(
        'wrong order',
        'claim.lua sends a smaller not-before after a larger one',
        'superseded: of two not-befores the receiver is told the larger one only',
        scripts.claim,
        'if late or s.dies <= now then',
        'if s.dies <= now then',
      )
      edit(
        'sent twice',
        'claim.lua does not hold the lane',
        'announce: messages to one host of one client are sent one at a time, in all processes together',
        scripts.claim,
        "redis.call('ZADD', lane, ARGV[2], member, ARGV[2], '!')",
        "redis.call('ZADD', lane, ARGV[2], member)",
      )
      edit(
        'no bound',
        'put-node.lua looks at no limit',
        'register: of nodes at once no more than the limit',
        scripts.putNode,
        'count >= tonumber(ARGV[6])',
        'count < 0',
      )
      edit(
        'lost entry',
        'put-node.lua makes an entry of an administrator one that ends',
        'unregister: an entry that an administrator made stays',
        scripts.putNode,
        "held == 'manual'",
        "held == ''",
      )
      edit(
        'given twice',
        'revive-dead.lua leaves the letter in the list',
        'dead: of many who send a letter anew one does',
        scripts.reviveDead,
        "redis.call('ZREM', KEYS[4], ARGV[2])",
        '',
      )
    },
  )
