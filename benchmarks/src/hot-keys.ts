const COUNT = 5_000

export const hotKeys: readonly string[] = Array.from({ length: COUNT }, (_, n) => `realm:${n}`)

export const hotKey = (turn: number): string => hotKeys[turn % COUNT] as string
