import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isError, isPlainObject, nearest, quote } from '@authstate/spi/internal'
import type { AuthStateConfig } from 'authstate'
import { type ConfigDocument, openDocument } from './editing/document.js'
import { CommandError, EXIT } from './exit-codes.js'

/** Names under which a configuration is found in the working directory, when none is given. */
const DEFAULT_NAMES = [
  'authstate.config.mjs',
  'authstate.config.js',
  'authstate.config.json',
  'authstate.config.jsonc',
  'authstate.config.yaml',
  'authstate.config.yml',
]
const MODULES = ['.mjs', '.js', '.cjs']

/** The file of the configuration: the one that was named, else one of the usual names, else none. */
export async function findFile(cwd: string, named: string | undefined): Promise<string | undefined> {
  if (named !== undefined) return resolve(cwd, named)
  const present = await readdir(cwd).catch(() => [] as string[])
  const found = DEFAULT_NAMES.find((name) => present.includes(name))
  return found === undefined ? undefined : join(cwd, found)
}

/** Whether a file is a program, which says its configuration when it runs. */
export const isModule = (file: string): boolean => MODULES.includes(extname(file))

/**
 * What a file says: the object in a JSON, JSONC or YAML file, or the default export of a module, which may be a function that
 * makes it.
 *
 * @throws {CommandError} the file does not exist, cannot be read, or contains no configuration
 */
export async function readConfiguration(file: string): Promise<AuthStateConfig> {
  const value = isModule(file) ? await exportOf(file) : (await readDocument(file)).value()
  if (isPlainObject(value)) return value as AuthStateConfig
  throw new CommandError(
    EXIT.configuration,
    `${basename(file)}: expected an object, the argument of createAuthState`,
  )
}

/** @throws {CommandError} the file does not exist, or its text is damaged: names the line */
export async function readDocument(file: string): Promise<ConfigDocument> {
  return openDocument(basename(file), await readText(file))
}

/** @throws {CommandError} the file does not exist; names one that was probably meant */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError(
      EXIT.configuration,
      `${quote(basename(file))} cannot be read: ${await reasonOf(file, error)}`,
    )
  }
}

/** The default export of a module, called where it is a function. */
export async function exportOf(file: string): Promise<unknown> {
  await readText(file)
  let loaded: { readonly default?: unknown }
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded
  } catch (error) {
    const message = isError(error) ? error.message : 'it threw'
    throw new CommandError(EXIT.configuration, `${quote(basename(file))} cannot be loaded: ${message}`)
  }
  const { default: value } = loaded
  return typeof value === 'function' ? await (value as () => unknown)() : value
}

async function reasonOf(file: string, error: unknown): Promise<string> {
  const { code } = error as { readonly code?: string }
  if (code !== 'ENOENT') return code ?? 'it failed'
  const beside = await readdir(dirname(file)).catch(() => [] as string[])
  const near = nearest(basename(file), beside)
  return near === undefined
    ? 'the file does not exist'
    : `the file does not exist. Did you mean ${quote(near)}?`
}
