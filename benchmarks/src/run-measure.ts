import { fork } from 'node:child_process'
import { once } from 'node:events'
import { bundleMeasure } from './build.js'
import type { Report } from './finding.js'
import type { Answer, Surroundings } from './measure.js'

/** Runs one measuring program to its end, in a process of its own. */
export async function runMeasure(path: string, surroundings: Surroundings): Promise<Report> {
  const child = fork(await bundleMeasure(path), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--expose-gc', '--max-old-space-size=12000'],
  })
  const exit = once(child, 'exit')
  const message = once(child, 'message')
  child.send(surroundings)
  const answered = await Promise.race([
    message.then(([value]) => value as Answer),
    exit.then(() => undefined),
  ])
  if (answered === undefined) throw new Error(`${path} ended without an answer`)
  await exit
  if ('failed' in answered) throw new Error(answered.failed)
  return answered.report
}
