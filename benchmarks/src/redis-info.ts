import type { Redis } from 'ioredis'

/** CPU that a server has used since it began, in us: all of it, sockets included. */
export async function serverCpuUs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu')
  const read = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]) * 1e6
  return read('used_cpu_user') + read('used_cpu_sys')
}

/** Time that a server has spent in commands since it began, in us. */
export interface CommandTime {
  /** In scripts, with the commands that they call. */
  readonly scripts: number
  /** In all commands. What a script calls counts here as well, beside the script itself. */
  readonly all: number
  /** How many commands that was, scripts and what they call. */
  readonly calls: number
}

export async function commandTime(redis: Redis): Promise<CommandTime> {
  const stats = await redis.info('commandstats')
  let [scripts, all, calls] = [0, 0, 0]
  for (const [, name, count, usec] of stats.matchAll(/^cmdstat_(\S+?):calls=(\d+),usec=(\d+)/gm)) {
    if (name === 'info') continue
    all += Number(usec)
    calls += Number(count)
    if (name === 'evalsha' || name === 'eval') scripts += Number(usec)
  }
  return { scripts, all, calls }
}

/** What lies between two looks: that of the scripts where scripts ran, else that of all commands. */
export function timeBetween(before: CommandTime, after: CommandTime): number {
  const scripts = after.scripts - before.scripts
  return scripts > 0 ? scripts : after.all - before.all
}
