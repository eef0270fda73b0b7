import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '..', '..')

/** Paths from the root of all files that are tracked or would be: what .gitignore names is left out. */
export const trackedPaths: readonly string[] = execFileSync(
  'git',
  ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\0')
  .filter((path) => path !== '' && existsSync(resolve(root, path)))

/** The text of the tracked files whose path fits. */
export const readTracked = (wanted: RegExp): Map<string, string> =>
  new Map(
    trackedPaths
      .filter((path) => wanted.test(path))
      .map((path) => [path, readFileSync(resolve(root, path), 'utf8')]),
  )
