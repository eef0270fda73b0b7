import { numberIn, partIn } from '../facts.js'
import { type Check, fail, ok, unknown, warn, worstOf } from '../judge.js'

const MB = 1_048_576
const ASK_INFO = 'allow +info, or ask the administrator for'
const inMb = (bytes: number): number => Math.round((bytes / MB) * 10) / 10

/** Whether Redis keeps what it was given. */
export const memoryChecks: readonly Check[] = [
  {
    id: 'eviction.policy',
    judge: (facts) =>
      worstOf(
        facts,
        (info) => {
          const policy = info.get('maxmemory_policy')
          if (policy === undefined) {
            return unknown('the server does not say its maxmemory-policy', 'ask the administrator for it')
          }
          const measured = { policy, maxmemory: numberIn(info, 'maxmemory') ?? 0 }
          if (policy === 'noeviction') return ok('noeviction: Redis evicts no records', measured)
          const fix = 'set maxmemory-policy to noeviction'
          const harm =
            'takes away live records when memory is full: a used token works again, a lock-out is lifted, an ended session may return'
          if (policy.startsWith('volatile-') && measured.maxmemory === 0) {
            return warn(`${policy} ${harm}; maxmemory is 0 today, so nothing is evicted yet`, fix, measured)
          }
          return fail(`${policy} ${harm}`, fix, measured)
        },
        `${ASK_INFO} maxmemory-policy`,
      ),
  },
  {
    id: 'eviction.seen',
    judge: (facts) =>
      worstOf(
        facts,
        (info, { evictedLater }) => {
          const evicted = numberIn(info, 'evicted_keys') ?? 0
          const now = evictedLater ?? evicted
          if (now === 0) return ok('no key was evicted since the start of the server', { evicted: 0 })
          const going =
            now > evicted ? 'keys are being evicted right now' : `${now} keys were evicted since its start`
          return fail(going, 'set maxmemory-policy to noeviction and give Redis more memory', {
            evicted: now,
          })
        },
        `${ASK_INFO} evicted_keys`,
      ),
  },
  {
    id: 'memory.headroom',
    judge: (facts) =>
      worstOf(
        facts,
        (info) => {
          const used = numberIn(info, 'used_memory') ?? 0
          const most = numberIn(info, 'maxmemory') ?? 0
          const refused = partIn(info, 'errorstat_OOM', 'count')
          const measured = { usedMb: inMb(used), maxMb: inMb(most), refusedWrites: refused }
          if (most === 0) {
            return warn(
              'maxmemory is 0: Redis grows until the host has no memory left, and is then ended by it',
              'set maxmemory to about three quarters of the memory of the host',
              measured,
            )
          }
          const share = used / most
          const said = `${Math.round(share * 100)} % of maxmemory is used`
          const fix = 'raise maxmemory, shorten the lifespans of sessions, or end what is not needed'
          if (share > 0.92) return fail(`${said}: logins will soon be refused`, fix, measured)
          if (share > 0.8) return warn(said, fix, measured)
          if (refused > 0) {
            return warn(
              `${said} now, and ${refused} writes were refused for want of memory since the start`,
              fix,
              measured,
            )
          }
          return ok(said, measured)
        },
        `${ASK_INFO} used_memory and maxmemory`,
      ),
  },
  {
    id: 'memory.fragmentation',
    judge: (facts) =>
      worstOf(
        facts,
        (info) => {
          const ratio = numberIn(info, 'mem_fragmentation_ratio') ?? 1
          const used = numberIn(info, 'used_memory') ?? 0
          const measured = { ratio, usedMb: inMb(used) }
          // A small server has a ratio without a meaning.
          if (used < 256 * MB) return ok('too small for its fragmentation to matter', measured)
          if (ratio > 1.5) {
            return warn(
              `fragmentation ratio ${ratio}`,
              'set activedefrag to yes, or restart a replica and fail over',
              measured,
            )
          }
          if (ratio < 1) {
            return warn(
              `fragmentation ratio ${ratio}: part of the memory of Redis may be swapped out`,
              'give the host more memory and turn swap off',
              measured,
            )
          }
          return ok(`fragmentation ratio ${ratio}`, measured)
        },
        `${ASK_INFO} mem_fragmentation_ratio`,
      ),
  },
]
