import assert from 'node:assert/strict'

/**
 * Names that break what is put together carelessly: properties that every object has, text that looks empty or runs the other
 * way, what keys are joined with, what a pattern or a template means something by, the longest name there may be.
 */
export const hostileNames: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  ' ',
  '\u00a0',
  '\u200b',
  '\u3164',
  '\u202e',
  '\ufeff',
  ':',
  '::',
  'a:b',
  '%',
  '%3a',
  '{}',
  '{a}',
  '*',
  '\u0000',
  'a\u0000b',
  'a\nb',
  '\u{1f511}',
  'x'.repeat(512),
]

/** Two of {@link hostileNames} at a time, each once first and once second: for two arguments of a call. */
export const hostilePairs: readonly (readonly [string, string])[] = hostileNames.map((name, index) => [
  name,
  hostileNames[(index + 1) % hostileNames.length] as string,
])

/** Notes under a hostile name; none where notes must not have it. */
export const hostileNotes = (name: string): Readonly<Record<string, string>> =>
  name === '__proto__' ? {} : { [name]: name }

/** A name of 10 kB: more than anybody may be asked to keep. */
const ENDLESS = 'x'.repeat(10_240)

/** Holds that each call refuses a name of 10 kB by a `TypeError` that names the argument and does not repeat the name. */
export async function refusesEndlessNames(
  calls: Readonly<Record<string, (name: string) => unknown>>,
): Promise<void> {
  for (const [argument, call] of Object.entries(calls)) {
    await assert.rejects(
      async () => call(ENDLESS),
      (error: unknown) => {
        assert.ok(error instanceof TypeError, argument)
        assert.ok(error.message.includes(argument), `${error.message} names ${argument}`)
        assert.ok(error.message.length < 1_000, `${argument}: a message as long as the name`)
        return true
      },
    )
  }
}
