const place = Symbol.for('authstate.redis.shared.1')

/**
 * What all copies of this library in one process have in common: an application may load it as ESM and as CommonJS at once,
 * and give both the same client. The number in the symbol changes with the shape of what is shared.
 */
export function shared<T>(name: string, make: () => T): T {
  const holder = globalThis as { [place]?: Map<string, unknown> }
  holder[place] ??= new Map()
  const all = holder[place]
  if (!all.has(name)) all.set(name, make())
  return all.get(name) as T
}
