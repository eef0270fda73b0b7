// What several sites go through, by number, and the cases that hold each: those whose name begins with `scenario 7:` or `scenario 4, 5:`.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What happens, by number. */
export const SCENARIOS = {
  1: 'a login at one site is found at the other behind a barrier',
  2: 'a login at one site, with SYNC, is found at the other at once',
  3: 'refreshes at both in turns never make a session older',
  4: 'a logout at one beside refreshes at the other',
  5: 'a logout at one while the way is cut',
  6: 'a removal of all sessions of a user beside a login at the other',
  7: 'notes of both from a time without each other',
  8: 'a client that was detached at one and refreshed at the other',
  9: 'a restart at one beside a note at the other',
  10: 'a limit of one session, and a login at both',
  11: 'one refresh token rotated at both, no reuse allowed',
  12: 'the same, with one reuse allowed',
  13: 'a code that one site made is consumed at the other',
  14: 'a code is consumed at the other before it was told of',
  15: 'a key of the caller is put at three sites at once',
  16: 'a code of a site that is offline is refused',
  17: 'a code is accepted at both without each other, which is found',
  18: 'the answer of the site that decides is lost',
  19: 'the site that decides is slow',
  20: 'failures of both sites count together',
  21: 'a success at one beside a failure at the other',
  22: 'both cross the threshold of a lock-out',
  23: 'a thousand guesses at one user cost one telling each batch',
  24: 'SYNC with FAIL, and the way is cut',
  25: 'SYNC with WARN, and the way is cut',
  26: 'SYNC with IGNORE, and the way is cut',
  27: 'taken offline by failures in a row',
  28: 'taken offline by failures and time',
  29: 'taken offline without load',
  30: 'all nodes of a site see the same',
  31: 'offline for a link, or for a service',
  32: 'what an operator took offline stays so',
  33: 'what changed at both without each other is told, and nothing else',
  34: 'a push goes on where its node ended',
  35: 'a push is cancelled',
  36: 'more changes than notes are kept',
  37: 'a failover to a replica that lacked writes',
  38: 'a site lost its data',
  39: 'clocks that are too far apart',
  40: 'random walks over three sites end equal',
}

/** Walks whose name says what they are about in words. */
const WALKS = [[40, /the same after \$\{RUNS\} random walks/]]

/** The names of the cases that hold each scenario, by number. `root`: of the repository. */
export function casesOf(root) {
  const held = new Map(Object.keys(SCENARIOS).map((number) => [Number(number), []]))
  const packages = join(root, 'packages')
  for (const folder of readdirSync(packages)) {
    let files = []
    try {
      files = readdirSync(join(packages, folder, 'test')).filter((file) => file.endsWith('.test.ts'))
    } catch {
      continue
    }
    for (const file of files) {
      const text = readFileSync(join(packages, folder, 'test', file), 'utf8')
      for (const [, numbers, name] of text.matchAll(/\(\s*['"`]scenario ((?:\d+, )*\d+): ([^'"`]*)/g))
        for (const number of numbers.split(', ').map(Number)) {
          if (!held.has(number)) throw new Error(`${folder}/${file}: there is no scenario ${number}`)
          held.get(number).push(`${folder}: ${name}`)
        }
      for (const [number, pattern] of WALKS)
        if (pattern.test(text)) held.get(number).push(`${folder}: ${file}`)
    }
  }
  return held
}

/** One line for each scenario, and one for all. */
export function scenarioLines(root) {
  const held = casesOf(root)
  const lines = [...held].map(
    ([number, names]) =>
      `${String(number).padStart(2)} ${SCENARIOS[number]}: ${names.length === 0 ? 'no case has its number' : names.join('; ')}`,
  )
  const count = [...held.values()].filter((names) => names.length > 0).length
  return [
    ...lines,
    `scenarios of several sites: ${count} of ${held.size} are held by cases with their number`,
  ]
}
