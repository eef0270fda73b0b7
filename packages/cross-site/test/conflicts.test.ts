// What a node does about tokens that sites redeemed twice, where one partition cannot be asked.
import { RecordingLogger } from '@authstate/conformance'
import type { RedisConnection, SiteJoiner } from '@authstate/redis'
import { expect, test } from 'vitest'
import { settleConflicts } from '../src/conflicts.js'
import { siteEmitter } from '../src/events.js'

test('a partition that fails keeps no other partition waiting', async () => {
  const events = siteEmitter(new RecordingLogger())
  const told: string[] = []
  events.on('single-use-conflict', ({ realmId }) => told.push(realmId))
  const joiner = {
    spi: 'vault',
    async settle(_connection: RedisConnection, partition: number) {
      if (partition === 0) throw new Error('the master of this partition is away')
      return [{ realmId: `of ${partition}`, kind: 'code' }]
    },
  } as unknown as SiteJoiner
  await settleConflicts({ connection: {} as RedisConnection, joiners: [joiner], events }, [0, 1, 2])
  expect(told).toEqual(['of 1', 'of 2'])
})
