import { inspect } from 'node:util'

const LONGEST = 240

/** A value on one line, not longer than a report needs. */
export function show(value: unknown, longest = LONGEST): string {
  const text = value instanceof Error ? described(value) : inspected(value)
  const line = text.replace(/\s*\n\s*/g, ' ')
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

function described(error: Error): string {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : []
  const parts = errors.length === 0 ? '' : ` (${errors.map((item) => show(item)).join('; ')})`
  return `${error.name}: ${error.message}${parts}`
}

function inspected(value: unknown): string {
  return inspect(value, {
    depth: 4,
    breakLength: Number.POSITIVE_INFINITY,
    maxStringLength: 80,
    maxArrayLength: 8,
    customInspect: false,
  })
}
