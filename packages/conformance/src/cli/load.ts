import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Provider } from '@authstate/spi'
import { knownNames, quote } from '@authstate/spi/internal'
import { show } from '../show.js'
import type { Suite } from '../suite.js'
import { type CheckedEntry, isSuite, readEntries } from './entries.js'
import { UsageError } from './usage-error.js'

/** The entries of a module, given by its path. @throws {UsageError} it cannot be loaded, or is not what it should be */
export async function loadEntries(path: string, cwd: string): Promise<CheckedEntry[]> {
  const file = resolve(cwd, path)
  let exported: unknown
  try {
    exported = await import(pathToFileURL(file).href)
  } catch (error) {
    throw new UsageError(`${quote(path)} cannot be loaded: ${show(error, 1_000)}`)
  }
  return readEntries(exported)
}

/**
 * The suite that `@authstate/<spi>/conformance` has, as a module of the author's project would import it.
 *
 * @param from URL of that module
 * @throws {UsageError} there is none
 */
export async function importSuite(spi: string, from: string): Promise<Suite<Provider>> {
  const name = `@authstate/${spi}/conformance`
  let found: Record<string, unknown>
  try {
    // Late: it is an ES module alone, which a program in CommonJS may not be able to require.
    const { moduleResolve } = await import('import-meta-resolve')
    found = await import(moduleResolve(name, new URL(from), conditions()).href)
  } catch (error) {
    const installed = installedSpis(from)
    const advice = installed.length === 0 || installed.includes(spi) ? '' : ` ${knownNames(spi, installed)}`
    throw new UsageError(
      `the suite of ${quote(spi)} cannot be loaded from ${name}: ${show(error, 1_000)}.${advice}`,
    )
  }
  const suite = Object.values(found).find((item) => isSuite(item) && item.spi.name === spi)
  if (isSuite(suite)) return suite
  throw new UsageError(`${name} has no suite of ${quote(spi)}`)
}

/** Conditions that this process resolves packages with; those of the command line are the author's to choose. */
function conditions(): Set<string> {
  const flags = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)]
  const own = flags.flatMap((flag, index) => {
    if (flag === '-C' || flag === '--conditions') return flags[index + 1] ?? []
    return flag.startsWith('--conditions=') ? flag.slice('--conditions='.length) : []
  })
  return new Set(['node', 'import', ...own])
}

/** Packages of ours that a module can import and that may have a suite. */
function installedSpis(from: string): string[] {
  const found = new Set<string>()
  for (let folder = dirname(fileURLToPath(from)); ; folder = dirname(folder)) {
    for (const name of entriesOf(join(folder, 'node_modules', '@authstate'))) found.add(name)
    if (folder === dirname(folder)) break
  }
  return [...found].filter((name) => !['spi', 'redis', 'conformance'].includes(name)).sort()
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
