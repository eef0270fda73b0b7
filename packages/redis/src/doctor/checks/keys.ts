import { recordedAs, unknownConsumers } from '../../changes/consumers.js'
import { layoutMistake, unknownConsumerText } from '../../layout.js'
import { partIn } from '../facts.js'
import { type Check, fail, ok, skip, unknown, warn, worstOf } from '../judge.js'

/** What is in the database, and who else uses it. */
export const keyChecks: readonly Check[] = [
  {
    id: 'layout',
    judge: ({ layout, config }) => {
      if (layout === undefined) return ok('no node has started under this prefix yet')
      const mistake = layoutMistake(layout, config)
      const measured = { partitions: layout.partitions, version: layout.version }
      const { consumers, drop } = config.changes
      const unnamed = unknownConsumers(layout.consumers, recordedAs([...consumers, ...drop]))
      if (mistake === undefined && unnamed.length > 0) {
        return fail(
          unknownConsumerText(unnamed, config),
          'name it in redis.changes.consumers or redis.changes.drop',
          { ...measured, unnamedConsumers: unnamed.length },
        )
      }
      if (mistake === undefined)
        return ok(`layout ${layout.version}, ${layout.partitions} partitions`, measured)
      return fail(
        mistake,
        `set redis.partitions to ${layout.partitions}, or use another redis.prefix`,
        measured,
      )
    },
  },
  {
    id: 'keys.endless',
    judge: ({ sample, config }) => {
      if (sample === undefined) return skip('no keys were looked at: ask for a sample')
      if (sample === 'refused') return unknown('SCAN is not allowed for this user of Redis', 'allow +scan')
      const measured = { looked: sample.looked, endless: sample.endless }
      if (sample.endless > 0) {
        return fail(
          `${sample.endless} of ${sample.looked} keys under prefix "${config.prefix}" never expire and should`,
          'look for a program that ran PERSIST or restored a dump without times to live',
          measured,
        )
      }
      return ok(`of ${sample.looked} keys each of ours that should expire does`, measured)
    },
  },
  {
    id: 'neighbours',
    judge: (facts) => {
      const { sample } = facts
      if (sample !== undefined && sample !== 'refused' && sample.foreign > 0) {
        return warn(
          `${sample.foreign} of ${sample.looked} keys belong to others: what they do can slow, fill or empty this Redis`,
          'give authstate a Redis of its own',
          { looked: sample.looked, foreign: sample.foreign },
        )
      }
      return worstOf(
        facts,
        (info) => {
          const calls = Object.fromEntries(
            ['keys', 'flushall', 'flushdb'].map((name) => [name, partIn(info, `cmdstat_${name}`, 'calls')]),
          )
          const used = Object.entries(calls).filter(([, count]) => count > 0)
          if (used.length === 0)
            return ok('KEYS and FLUSHALL were not run since the start of the server', calls)
          return warn(
            `${used.map(([name, count]) => `${name.toUpperCase()} (${count})`).join(', ')} were run since the start of the server`,
            'find the program that runs them: KEYS blocks Redis for all clients, FLUSHALL signs all users out',
            calls,
          )
        },
        'allow +info, or ask the administrator for INFO commandstats',
      )
    },
  },
]
