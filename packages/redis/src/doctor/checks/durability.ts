import { type Info, numberIn } from '../facts.js'
import { type Check, fail, ok, skip, unknown, warn, worstOf } from '../judge.js'

const ASK_INFO = 'allow +info, or ask the administrator for'

/** What a restart or a failover takes away. */
export const durabilityChecks: readonly Check[] = [
  {
    id: 'persistence',
    spi: ['user-session', 'action-token'],
    judge: (facts) =>
      worstOf(
        facts,
        (info, { address }) => {
          const failedSave = failedSaveOf(info)
          if (failedSave !== undefined) {
            return fail(failedSave, 'look at the log of Redis: the disk is full or may not be written')
          }
          if (info.get('aof_enabled') === '1') {
            return ok('append-only file: a crash loses about a second, with appendfsync everysec')
          }
          const fix = 'set appendonly to yes and appendfsync to everysec'
          const savedAt = numberIn(info, 'rdb_last_save_time') ?? 0
          const save = facts.settings?.get(`${address} save`)
          if (save === '') {
            return fail(
              'nothing is persisted: a restart signs everybody out, offline sessions are lost and revoked tokens work again',
              fix,
            )
          }
          const minutes = Math.max(0, Math.round((facts.clock.now / 1000 - savedAt) / 60))
          const said =
            save === undefined
              ? `no append-only file; the last snapshot, if any are made, is ${minutes} min old`
              : `snapshots only, the last one ${minutes} min ago`
          return warn(`${said}: a restart brings back sessions that ended since`, fix, { minutes })
        },
        `${ASK_INFO} aof_enabled`,
      ),
  },
  {
    id: 'replication.role',
    judge: (facts) =>
      worstOf(
        facts,
        (info) => {
          const role = info.get('role') ?? 'unknown'
          if (role === 'master') return ok('connected to a master', { role })
          return fail(
            'connected to a replica: every write is refused (READONLY)',
            'name the master, or its sentinels',
            {
              role,
            },
          )
        },
        `${ASK_INFO} the role`,
      ),
  },
  {
    id: 'replication.replicas',
    judge: (facts) =>
      worstOf(
        facts,
        (info, { address }) => {
          const replicas = numberIn(info, 'connected_slaves') ?? 0
          const lagS = Math.max(0, ...lagsOf(info))
          const measured = { replicas, lagS }
          if (replicas === 0) {
            return warn(
              'there is no replica: while this server is away no user can sign in',
              'add a replica, with Sentinel or a Cluster to fail over to it',
              measured,
            )
          }
          if (lagS > 1) {
            return warn(
              `a replica is ${lagS} s behind: a failover to it brings back what was ended meanwhile`,
              'look at the network to the replica and at its load',
              measured,
            )
          }
          const least = facts.settings?.get(`${address} min-replicas-to-write`)
          if (facts.config.minReplicas === 0 && least === '0') {
            return warn(
              'writes are acknowledged before a replica has them: a failover can undo an acknowledged logout',
              'set redis.minReplicas to 1, or min-replicas-to-write of Redis to 1',
              measured,
            )
          }
          return ok(`${replicas} replica${replicas === 1 ? '' : 's'}, at most ${lagS} s behind`, measured)
        },
        `${ASK_INFO} connected_slaves`,
      ),
  },
  {
    id: 'cluster.slots',
    judge: ({ cluster }) => {
      if (cluster === undefined) return skip('not a Cluster')
      if (cluster.info === undefined) {
        return unknown('CLUSTER INFO is not allowed for this user of Redis', 'allow +cluster|info')
      }
      const covered = numberIn(cluster.info, 'cluster_slots_ok') ?? 0
      const state = cluster.info.get('cluster_state') ?? 'unknown'
      const measured = { covered, state }
      if (state !== 'ok' || covered < 16_384) {
        return fail(
          `the Cluster is ${state}, ${16_384 - covered} of 16384 slots have no server that answers`,
          'bring the failed masters back or fix the slots: redis-cli --cluster fix',
          measured,
        )
      }
      return ok('all 16384 slots are covered', measured)
    },
  },
  {
    id: 'cluster.balance',
    judge: ({ cluster, config }) => {
      if (cluster === undefined) return skip('not a Cluster')
      const shares = [...cluster.partitionsByMaster.values()]
      const most = Math.max(0, ...shares)
      const even = config.partitions / Math.max(1, shares.length)
      const measured = { masters: shares.length, most }
      if (most > 2 * even) {
        return warn(
          `one master has ${most} of ${config.partitions} partitions`,
          'move slots so that the partitions are spread; docs/storage.md says which slots they are',
          measured,
        )
      }
      return ok(`at most ${most} of ${config.partitions} partitions on one master`, measured)
    },
  },
  {
    id: 'sentinel.quorum',
    judge: ({ sentinels, mode, config }) => {
      if (mode !== 'sentinel') return skip('not reached by sentinels')
      if (sentinels.length === 0) {
        return unknown('the sentinels of a given client are not asked', 'name them in redis.sentinels')
      }
      const answering = sentinels.filter(({ master }) => master !== undefined)
      const [first] = answering
      if (first === undefined) {
        return fail(`no sentinel names a master "${config.name}"`, 'look at redis.sentinels and redis.name')
      }
      const known = first.others + 1
      const up = known - first.othersDown
      const measured = { known, up, asked: sentinels.length, answering: answering.length }
      const masters = [...new Set(answering.map(({ master }) => master))]
      if (masters.length > 1) {
        return fail(
          `sentinels name different masters: ${masters.join(' and ')}`,
          `those that were cut off agree once they hear of the others; on one that still names the old master run SENTINEL RESET ${config.name}`,
          { ...measured, masters: masters.length },
        )
      }
      if (up <= known / 2) {
        return fail(
          `${up} of ${known} sentinels are up: they cannot agree on a new master`,
          'bring the sentinels back',
          measured,
        )
      }
      if (known < 3) {
        return warn(`${known} sentinels: none may fail`, 'run at least three, on different hosts', measured)
      }
      if (answering.length < sentinels.length) {
        return warn(
          `${sentinels.length - answering.length} of the ${sentinels.length} configured sentinels did not answer`,
          'bring them back, or take them out of redis.sentinels',
          measured,
        )
      }
      return ok(`${up} of ${known} sentinels are up`, measured)
    },
  },
]

function failedSaveOf(info: Info): string | undefined {
  if (info.get('aof_enabled') === '1' && info.get('aof_last_write_status') === 'err') {
    return 'the append-only file could not be written'
  }
  return info.get('rdb_last_bgsave_status') === 'err' ? 'the last snapshot failed' : undefined
}

/** Seconds since each replica last said how far it is. */
function lagsOf(info: Info): number[] {
  return [...info]
    .filter(([name]) => /^slave\d+$/.test(name))
    .map(([, text]) => Number(/lag=(\d+)/.exec(text)?.[1] ?? 0))
}
