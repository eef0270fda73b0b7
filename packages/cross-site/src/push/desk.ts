import type { RedisConnection } from '@authstate/redis'
import { assertName, assertOneOf, assertOptions, type Known } from '@authstate/spi'
import { pause } from '../waits.js'
import type { PushAction, PushInfo, PushMode, PushOptions, VerifyReport } from './contract.js'
import { type Job, Jobs } from './jobs.js'

const OPTIONS: Known<PushOptions> = { spi: true, mode: true, since: true }
const VERIFY: Known<VerifyOptions> = { spi: true, repair: true }
const MODES = ['delta', 'full', 'mirror'] as const
const OVER = ['done', 'cancelled', 'failed', 'paused']
const BETWEEN_LOOKS_MS = [20, 50, 100, 250, 500]

/** Options of a comparison. */
export interface VerifyOptions {
  /** A service: `'user-session'`. @default every one that is kept in step */
  readonly spi?: string
  /** Whether to send each site what it lacks, if they differ. @default false */
  readonly repair?: boolean
}

/** Asks for pushes through the Redis of a site; nodes of the site do them. */
export class Desk {
  readonly #site: () => Promise<string>
  readonly #jobs: Jobs
  readonly #onAsked: () => void

  /**
   * @param site Returns the name of this site.
   * @param onAsked Called when there is something to do.
   */
  constructor(site: () => Promise<string>, connection: RedisConnection, onAsked: () => void = () => {}) {
    this.#site = site
    this.#jobs = new Jobs(connection)
    this.#onAsked = onAsked
  }

  async push(to: string, options: PushOptions = {}): Promise<PushInfo> {
    return this.#begin(await this.#site(), to, options)
  }

  async pull(from: string, options: PushOptions = {}): Promise<PushInfo> {
    return this.#begin(from, await this.#site(), options)
  }

  async pushes({ active = false }: { readonly active?: boolean } = {}): Promise<readonly PushInfo[]> {
    return (await this.#jobs.list(active)).map(({ info }) => info)
  }

  async controlPush(id: string, action: PushAction): Promise<PushInfo | undefined> {
    assertName(id, 'id')
    assertOneOf(action, 'action', ['cancel', 'pause', 'resume'])
    const job = await this.#jobs.control(id, action)
    if (action === 'resume') this.#onAsked()
    return job?.info
  }

  /**
   * @param onProgress Called a few times a second with the progress.
   * @param signal Stops waiting; the nodes go on.
   */
  async verify(
    site: string,
    options: VerifyOptions = {},
    onProgress: (push: PushInfo) => void = () => {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<VerifyReport> {
    assertOptions(options, 'options', VERIFY)
    const { spi = 'all', repair = false } = options
    assertName(spi, 'options.spi')
    const mode: PushMode = repair ? 'repair' : 'verify'
    let job: Job | undefined = await this.#jobs.begin({ from: await this.#site(), to: site, spi, mode })
    this.#onAsked()
    for (let look = 0; !OVER.includes(job.info.status); look++) {
      await pause(BETWEEN_LOOKS_MS[Math.min(look, BETWEEN_LOOKS_MS.length - 1)] ?? 0, signal)
      if (signal.aborted) throw new Error('the caller stopped waiting before the sites were compared')
      job = await this.#jobs.get(job.info.id)
      if (job === undefined)
        throw new Error(
          'the comparison is lost, because the Redis of this site lost its data: start it again',
        )
      onProgress(job.info)
    }
    return reportOf(site, job)
  }

  async #begin(from: string, to: string, options: PushOptions): Promise<PushInfo> {
    assertOptions(options, 'options', OPTIONS)
    const { spi = 'all', since, mode = since === undefined ? 'full' : 'delta' } = options
    assertName(spi, 'options.spi')
    assertOneOf(mode, 'options.mode', MODES)
    if (since !== undefined && !(Number.isInteger(since) && since >= 0))
      throw new TypeError('"options.since" must be a whole number of ms since the epoch')
    if ((mode === 'delta') !== (since !== undefined))
      throw new TypeError('"options.since" is allowed only with "options.mode": "delta"')
    const { info } = await this.#jobs.begin({ from, to, spi, mode, since })
    this.#onAsked()
    return info
  }
}

function reportOf(site: string, { info, found }: Job): VerifyReport {
  const all = found()
  const differences = all
    .flatMap((of) => of.differences)
    .sort((a, b) => a.partition - b.partition || a.spi.localeCompare(b.spi))
  return {
    site,
    isEqual: info.status === 'done' && differences.every(({ isRepaired }) => isRepaired),
    differences,
    notCompared: [...new Set(all.flatMap(({ notCompared }) => notCompared))],
    push: info,
  }
}
