export interface Rule {
  readonly what: string
  /** Paths the rule looks at. */
  readonly where: RegExp
  readonly except?: RegExp
  readonly pattern: RegExp
}

const SOURCE = /^packages\/(adapters\/)?[^/]+\/src\/.*\.ts$/
const CODE = /^(packages|examples|test|tools)\/.*\.([cm]?[jt]s|lua)$/
const TEXT = /\.([cm]?[jt]s|json|ya?ml|md|lua|sh)$|^\.ci\//

// Patterns are spelled so that they do not match themselves: this file is read as well.
export const RULES: readonly Rule[] = [
  {
    what: 'the real clock',
    where: SOURCE,
    except: /\/spi\/src\/clock\.ts$|\/console\/src\/assets\/script\.ts$/,
    pattern: /\bDate\.now\(\)|\bnew Date\(\)/,
  },
  {
    what: 'a timer that a test runner may have replaced; use `timers`',
    where: SOURCE,
    // A suite runs inside of a test runner, and only there; the script of the console in a browser.
    except: /\/spi\/src\/timers\.ts$|\/console\/src\/assets\/script\.ts$|\/conformance(\/|\.ts$)/,
    pattern:
      /(?<![\w.])((set|clear)(Timeout|Interval|Immediate)|queueMicrotask)\(|\bprocess\.nextTick\(|\bperformance\.now\(/,
  },
  {
    what: 'a Redis command that managed servers forbid',
    where: /\.lua$/,
    pattern: /call\(\s*['"](KEYS|SCAN|CONFIG)\b/i,
  },
  {
    what: 'the clock of Redis',
    where: /\.lua$/,
    except: /\/redis\/src\/lua\/read-clock\.lua$/,
    pattern: /call\(\s*['"]TIME\b/i,
  },
  { what: 'an unfinished mark', where: CODE, pattern: /\b(TO[D]O|FIX[M]E|XX[X])\b/ },
  { what: 'a focused or skipped test', where: CODE, pattern: /\b(it|test|describe)[.](only|skip|todo)\b/ },
  { what: 'a path of one machine', where: TEXT, pattern: /(?<![\w.@:/-])\/(work|home|Users|root)\/\w/ },
  {
    what: 'a registry host',
    where: TEXT,
    pattern: /https?:\/\/[^\s/'"`]*(registry|artifactory|verdaccio|nexus)[^\s/'"`]*/,
  },
  { what: 'two words where one is right; write `cannot`', where: TEXT, pattern: /\b[Cc]an no[t]\b/ },
  { what: 'an address in the lock file', where: /^pnpm-lock\.yaml$/, pattern: /https?:\/\/|\btarball:/ },
]

/** `path:line what` for every line that breaks a rule. */
export const breaches = (files: ReadonlyMap<string, string>, rules: readonly Rule[] = RULES): string[] =>
  [...files].flatMap(([path, text]) => {
    const lines = text.split('\n')
    return rules
      .filter((rule) => rule.where.test(path) && rule.except?.test(path) !== true)
      .flatMap(({ what, pattern }) =>
        lines.flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1} ${what}`] : [])),
      )
  })
