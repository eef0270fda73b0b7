import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'

export const SITE = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,16}$/, 'must be 1 to 16 of a-z, 0-9 and "-"'))

export const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))

export const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )

export const DAY_MS = 86_400_000
