// Four processes on one file at once: SQLite's lock, not the one thread of a process, is what makes a step atomic.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startChild } from '../../../tools/testing/child.js'

const PROCESSES = 4
const EACH = 100

interface Report {
  readonly consumed: readonly string[]
  readonly counts: readonly number[]
}

test('each token is consumed once, and every failure is counted', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'custom-provider-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const worker = fileURLToPath(new URL('./worker.ts', import.meta.url))
  const children = Array.from({ length: PROCESSES }, () =>
    startChild(worker, [join(folder, 'state.db'), String(EACH)], { findsHoisted: true }),
  )
  for (const child of children) expect(await child.next()).toBe('ready')
  for (const child of children) child.tell('go')
  const reports: Report[] = []
  for (const child of children) {
    reports.push(JSON.parse(await child.next()))
    await child.finished()
  }
  const keys = Array.from({ length: EACH }, (_, n) => `code-${n}`)
  expect(reports.flatMap(({ consumed }) => consumed).sort()).toEqual(keys.sort())
  const counts = reports.flatMap((report) => report.counts).sort((a, b) => a - b)
  expect(counts).toEqual(Array.from({ length: PROCESSES * EACH }, (_, n) => n + 1))
})
