import type { Redis } from 'ioredis'

/** CPU that a server has used since it began, in us: all of it, sockets included. */
export async function serverCpuUs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu')
  const read = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]) * 1e6
  return read('used_cpu_user') + read('used_cpu_sys')
}
