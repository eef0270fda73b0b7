// Processes whose wall clock is wrong: Node's and Redis' alike, and it can be set while they run.
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The library, built once and kept for as long as its source does not change. */
function library(): string {
  const source = fileURLToPath(new URL('./host-clock.c', import.meta.url))
  const folder = join(tmpdir(), `authstate-host-clock-${process.pid}`)
  const built = join(folder, 'host-clock.so')
  if (existsSync(built)) return built
  mkdirSync(folder, { recursive: true })
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', `${built}.new`, source], { stdio: 'pipe' })
  renameSync(`${built}.new`, built)
  return built
}

let made = 0

/** The wall clock of the processes that are started with its environment. */
export class HostClock {
  readonly #file: number
  /** Environment of a process that goes by it. */
  readonly env: Readonly<Record<string, string>>

  constructor(aheadMs = 0) {
    const preload = library()
    made += 1
    const path = join(tmpdir(), `authstate-host-clock-${process.pid}`, `clock-${made}`)
    this.#file = openSync(path, 'w')
    this.env = { LD_PRELOAD: preload, AUTHSTATE_TEST_CLOCK: path }
    this.set(aheadMs)
  }

  /** Sets it, in ms ahead of the right time, for running processes as well. */
  set(aheadMs: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(Math.round(aheadMs * 1000)))
    writeSync(this.#file, bytes, 0, 8, 0)
  }

  close(): void {
    closeSync(this.#file)
  }
}
