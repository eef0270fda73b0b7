// The child's side: opens one subject and runs the slots it is told to run.

import { quantile } from './statistics.js'
import type { OpenSubject, Operation, Place, Slot, SlotResult, Subject } from './subject.js'

export type Request = { readonly open: Place } | { readonly slot: Slot }
export type Reply = { readonly done: SlotResult | null } | { readonly failed: string }

export function serve(open: OpenSubject): void {
  let subject: Subject | undefined
  let turn = 0
  const next = () => turn++
  process.on('message', async (request: Request) => {
    try {
      if ('open' in request) {
        subject = await open(request.open)
        process.send?.({ done: null })
      } else {
        process.send?.({ done: await runSlot(subject as Subject, request.slot, next) })
      }
    } catch (error) {
      process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.on('disconnect', () => {
    void Promise.resolve(subject?.close()).finally(() => process.exit())
  })
}

async function runSlot({ operations }: Subject, slot: Slot, next: () => number): Promise<SlotResult> {
  const operation = operations[slot.operation]
  if (operation === undefined) throw new Error(`there is no operation "${slot.operation}"`)
  const run = { each: runEach, 'thousand awaited': runThousandsAwaited, thousand: runThousands }[
    slot.pace ?? 'each'
  ]
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const { count, latencies } = await run(operation, slot, next)
  const ms = performance.now() - begun
  const { user, system } = process.cpuUsage(cpu)
  return {
    operations: count,
    perSecond: (count / ms) * 1_000,
    cpuUsPerOperation: (user + system) / count,
    p50Us: quantile(latencies, 0.5) * 1_000,
    p99Us: quantile(latencies, 0.99) * 1_000,
  }
}

async function runEach(operation: Operation, { callers, ms }: Slot, next: () => number) {
  const latencies: number[] = []
  const end = performance.now() + ms
  const caller = async () => {
    for (let now = performance.now(); now < end; ) {
      await operation(next())
      const after = performance.now()
      latencies.push(after - now)
      now = after
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { count: latencies.length, latencies }
}

async function runThousandsAwaited(operation: Operation, { ms }: Slot, next: () => number) {
  const end = performance.now() + ms
  let count = 0
  for (; performance.now() < end; count += 1_000) for (let i = 0; i < 1_000; i++) await operation(next())
  return { count, latencies: [] }
}

async function runThousands(operation: Operation, { ms }: Slot, next: () => number) {
  const end = performance.now() + ms
  let count = 0
  for (; performance.now() < end; count += 1_000) for (let i = 0; i < 1_000; i++) operation(next())
  return { count, latencies: [] }
}
