/** Sources of scripts by hash: in a script Redis names the line of what it refused, not the command. */
const sources = new Map<string, string>()

/** Makes known the source of a script. Called once per script, when it is defined. */
export function noteSource(sha1: string, lua: string): void {
  sources.set(sha1, lua)
}

/** What every node needs, as docs/acl.md says; without INFO, which may be refused. */
export const RIGHTS: readonly string[] = (
  'del eval evalsha exists get getrange hdel hget hgetall hincrby hkeys hlen hmget hset hsetnx hvals mget ' +
  'persist pexpire ping pttl set setrange time unlink xadd xrange xread xrevrange zadd zcard zcount zrange ' +
  'zrangebyscore zrank zrem zremrangebyscore zscan zscore'
).split(' ')

/** The additional rights of a node that delivers changes to consumers. */
export const RIGHTS_FOR_CHANGES: readonly string[] = ['xlen', 'xtrim']

/** Each of them with arguments by which Redis finds the keys, of which `key` stands for all. */
export function rightsToCheck(key: string, tellsChanges = false): readonly (readonly string[])[] {
  const names = tellsChanges ? [...RIGHTS, ...RIGHTS_FOR_CHANGES] : RIGHTS
  return names.map((name) => ARGUMENTS[name]?.(key) ?? [name, key])
}

const ARGUMENTS: Readonly<Record<string, (key: string) => readonly string[]>> = {
  ping: () => ['ping'],
  time: () => ['time'],
  eval: () => ['eval', '', '0'],
  evalsha: () => ['evalsha', '', '0'],
  xtrim: (key) => ['xtrim', key, 'MAXLEN'],
  xread: (key) => ['xread', 'STREAMS', key, '0'],
}

const CALL = /redis\.p?call\('([A-Z]+)'/g

const COMMAND = /no permissions to run the '([^']+)' command/i
const IN_SCRIPT = /can't run this command|ACL failure in script: User \S+ has no permissions to run/i
const KEY = /no permissions to access|can't access at least one of the keys/i

/**
 * What the user of Redis may not do, as a sentence, where an error says that it lacks a right. Versions 6.2 to 8 say it in
 * different words, and in a script mostly without the name of the command.
 */
export function missingRight(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : ''
  if (KEY.test(message)) return `the user of Redis may not touch a key of this library; ${SEE}`
  const name = COMMAND.exec(message)?.[1] ?? (IN_SCRIPT.test(message) ? commandAt(message) : undefined)
  return name && `the user of Redis may not run "${name}": add "+${name}" to its rights; ${SEE}`
}

const SEE = 'see docs/acl.md'

/** The command in the line of a script that an error tells of. */
function commandAt(message: string): string {
  const [, sha1 = ''] = /\b(?:f_)?([0-9a-f]{40})\b/.exec(message) ?? []
  const [, line = ''] = /user_script:(\d+)/.exec(message) ?? []
  const text = sources.get(sha1)?.split('\n')[Number(line) - 1] ?? ''
  const [name] = [...text.matchAll(CALL)].map(([, command = '']) => command.toLowerCase())
  return name ?? 'a command of a script'
}
