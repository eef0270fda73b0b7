// What joins of several sites are made of. packages/redis/src/lua/lib/joins.lua is the same in Lua.

/** The later of two texts. */
export const later = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && Buffer.compare(Buffer.from(b), Buffer.from(a)) > 0) ? b : a

/** The larger of two numbers as texts. */
export const larger = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && Number(b) > Number(a)) ? b : a

/** The higher of two, part by part, byte by byte as Redis compares. */
export function higher<Parts extends readonly string[]>(
  a: Parts | undefined,
  b: Parts | undefined,
): Parts | undefined {
  if (a === undefined || b === undefined) return a ?? b
  for (const [index, part] of a.entries()) {
    const order = Buffer.compare(Buffer.from(part), Buffer.from(b[index] ?? ''))
    if (order !== 0) return order > 0 ? a : b
  }
  return a
}

/** Two maps in one: of a name that both have, what `pick` makes of both. */
export function merged<T>(
  a: Readonly<Record<string, T>> | undefined,
  b: Readonly<Record<string, T>> | undefined,
  pick: (a: T | undefined, b: T) => T | undefined,
): Record<string, T> {
  // Names come from callers: `__proto__` is one like any other.
  const all = new Map<string, T>(Object.entries(a ?? {}))
  for (const [name, part] of Object.entries(b ?? {})) all.set(name, pick(all.get(name), part) as T)
  return Object.fromEntries(all)
}
