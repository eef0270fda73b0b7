/** The absolute path of a Redis or Valkey server on this machine, or undefined. */
export function findRedisServer(env?: NodeJS.ProcessEnv): string | undefined
export function ensureRedis(): Promise<void>
