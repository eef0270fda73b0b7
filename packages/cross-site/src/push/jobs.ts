import { randomBytes } from 'node:crypto'
import type { RedisConnection } from '@authstate/redis'
import { pushBegin, pushControl, pushesOf, pushStep } from '../scripts.js'
import type { Difference, PushAction, PushInfo, PushMode, PushStatus } from './contract.js'
import type { Fields } from './scripts.js'

/** How long a push that is over is remembered. */
const KEEP_MS = 7 * 86_400_000

/** The end of a partition. */
export const DONE = 'done'

/** What a push is asked to do. */
export interface Asked {
  readonly from: string
  readonly to: string
  readonly spi: string
  readonly mode: PushMode
  readonly since?: number | undefined
  readonly reason?: 'rewound'
  /** Only these partitions. */
  readonly only?: readonly number[] | undefined
}

/** What was done in a partition since the last note. */
export interface Figures {
  readonly scanned: number
  readonly sent: number
  readonly changed: number
  readonly conflicts: number
  readonly bytes: number
}

/** A push as it is stored. */
export interface Job {
  readonly info: PushInfo
  /** How far it has come, by partition; empty at first. */
  place(partition: number): string
  /** What was found in the partitions. */
  found(): readonly Found[]
}

/** What a comparison found in a partition. */
export interface Found {
  readonly differences: readonly Difference[]
  readonly notCompared: readonly string[]
}

/** How far a node has come in a partition. */
export interface Step {
  readonly partition: number
  readonly before: string
  readonly after: string
  readonly figures?: Partial<Figures>
  readonly found?: Found | undefined
}

/** Pushes of a site, as its Redis stores them: every node sees the same. */
export class Jobs {
  readonly #connection: RedisConnection

  constructor(connection: RedisConnection) {
    this.#connection = connection
  }

  /** Asks for a push. If the same push is under way, returns that one. */
  async begin({ since, only, ...asked }: Asked): Promise<Job> {
    const { keys, clock } = this.#connection
    const fields = {
      ...asked,
      ...(since !== undefined && { since: String(since) }),
      ...(only !== undefined && { only: only.join(',') }),
      total: String(only?.length ?? keys.partitions),
    }
    const id = randomBytes(6).toString('hex')
    const args = { id, now: clock.now(), asked: JSON.stringify(fields) }
    return jobOf(await this.#connection.run(pushBegin, { pushes: this.#pushes }, args))
  }

  /** @returns its status; `'moved'` if another node noted something meanwhile; `''` if it is forgotten */
  step(id: string, { partition, before, after, figures = {}, found }: Step): Promise<string> {
    return this.#connection.run(
      pushStep,
      { push: this.#push(id) },
      {
        partition,
        before,
        after,
        now: this.#connection.clock.now(),
        figures: JSON.stringify(figures),
        found: found === undefined ? '' : JSON.stringify(found),
        keepMs: KEEP_MS,
      },
    )
  }

  /** `undefined`: there is no push with this id. A push that is over does not change. */
  async control(id: string, action: PushAction | 'fail', error = ''): Promise<Job | undefined> {
    const args = { action, now: this.#connection.clock.now(), error, keepMs: KEEP_MS }
    const fields = await this.#connection.run(pushControl, { push: this.#push(id) }, args)
    return fields.has('id') ? jobOf(fields) : undefined
  }

  async get(id: string): Promise<Job | undefined> {
    const fields = await this.#connection.hgetall('cross-site.push', this.#push(id))
    return fields['id'] === undefined ? undefined : jobOf(new Map(Object.entries(fields)))
  }

  /** The latest first. */
  async list(isActive: boolean): Promise<readonly Job[]> {
    const args = { active: isActive ? 1 : 0 }
    return (await this.#connection.run(pushesOf, { pushes: this.#pushes }, args)).map(jobOf)
  }

  get #pushes(): string {
    return this.#connection.keys.key(0, 'xp')
  }

  #push(id: string): string {
    return this.#connection.keys.key(0, 'xp', id)
  }
}

function jobOf(fields: Fields): Job {
  return {
    info: infoOf(fields),
    place: (partition) => fields.get(`p:${partition}`) ?? '',
    found: () =>
      [...fields].flatMap(([field, value]) => (field.startsWith('f:') ? [JSON.parse(value) as Found] : [])),
  }
}

function infoOf(fields: Fields): PushInfo {
  const text = (field: string) => fields.get(field) ?? ''
  const number = (field: string) => Number(fields.get(field) ?? 0)
  const optional = <K extends string>(field: K) =>
    fields.has(field) ? ({ [field]: number(field) } as Record<K, number>) : undefined
  const [done, total] = [number('done'), number('total')]
  const ranMs = number('updatedAt') - number('resumedAt')
  const doneSince = done - number('doneThen')
  return {
    id: text('id'),
    from: text('from'),
    to: text('to'),
    spi: text('spi'),
    mode: text('mode') as PushMode,
    ...optional('since'),
    ...(text('reason') === 'rewound' && { reason: 'rewound' as const }),
    ...(fields.has('only') && { only: text('only').split(',').map(Number) }),
    status: text('status') as PushStatus,
    ...(fields.has('error') && { error: text('error') }),
    partitions: { done, total },
    scanned: number('scanned'),
    sent: number('sent'),
    changed: number('changed'),
    conflicts: number('conflicts'),
    bytes: number('bytes'),
    askedAt: number('askedAt'),
    ...optional('startedAt'),
    updatedAt: number('updatedAt'),
    ...optional('finishedAt'),
    ...(fields.has('resumedAt') &&
      ranMs > 0 && { perSecond: Math.round(((number('scanned') - number('scannedThen')) * 1_000) / ranMs) }),
    ...(text('status') === 'running' &&
      doneSince > 0 && { etaMs: Math.round((ranMs / doneSince) * (total - done)) }),
  }
}
