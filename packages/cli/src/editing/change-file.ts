import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { isPlainObject, quote } from '@authstate/spi/internal'
import type { AuthStateConfig } from 'authstate'
import { type ConfigurationSchemas, checkConfiguration, type Description } from 'authstate/configuration'
import { createPatch } from 'diff'
import { CommandError, EXIT } from '../exit-codes.js'
import { isModule, readText } from '../files.js'
import { type ConfigDocument, openDocument, valueAt } from './document.js'
import { apply, type Edit, partsOf } from './edits.js'

/** What came of edits. */
export interface Changed {
  /** Lines that went and lines that came, without secrets; empty when nothing changed. */
  readonly diff: string
  /** What would be selected now. */
  readonly description: Description
  /** Properties that were changed in the file and that a variable overrides. */
  readonly shadowed: readonly string[]
}

export interface ChangeOptions {
  readonly schemas: ConfigurationSchemas
  /** What surrounds the file: variables, and providers of plugins. */
  readonly around: Pick<AuthStateConfig, 'env' | 'providers'>
  readonly dryRun: boolean
  /** Whether values came from the arguments of the process, where everybody on the machine can read them. */
  readonly areArguments: boolean
}

/**
 * Changes a file of configuration: all edits or none. What they lead to is checked before it is written; the file is replaced in
 * one step, and comments and order stay.
 *
 * @throws {ConfigurationError} the outcome cannot work; nothing was written
 * @throws {CommandError} the file is a program, or an edit cannot be made
 */
export async function changeFile(
  file: string,
  edits: readonly Edit[],
  options: ChangeOptions,
): Promise<Changed> {
  const name = basename(file)
  if (isModule(file)) {
    throw new CommandError(
      EXIT.refused,
      `${name} is a program: change it by hand. This command can change a JSON or YAML file`,
    )
  }
  const before = openDocument(name, await readText(file))
  const { schemas, around } = options
  const was = await describe(before, around).catch(() => undefined)
  const selected = (spi: string) =>
    was?.spis[spi]?.selected ?? (spi === 'redis' ? Object.keys(schemas['redis'] ?? {})[0] : undefined)
  const after = edits.reduce((document, edit) => apply(document, edit, { schemas, selected }), before)
  const description = await describe(after, around)
  if (options.areArguments) refuseSecrets(edits, description, schemas)
  if (!options.dryRun && after.text !== before.text) await replace(file, after.text)
  return {
    diff: diffOf(name, before, after, [was, description]),
    description,
    shadowed: shadowedBy(edits, description, schemas),
  }
}

function describe(document: ConfigDocument, around: ChangeOptions['around']): Promise<Description> {
  const value = document.value()
  if (!isPlainObject(value)) throw new CommandError(EXIT.configuration, 'the file must hold an object')
  return checkConfiguration({ ...(value as AuthStateConfig), ...around } as AuthStateConfig)
}

/** @throws {CommandError} the file, or its folder, may not be written */
async function replace(file: string, text: string): Promise<void> {
  const { mode } = await stat(file)
  // To replace it would get around what somebody said of it.
  if ((mode & ANYBODY_WRITES) === 0) throw readOnly(file, 'it is read-only')
  const beside = `${file}.${process.pid}.new`
  try {
    await writeFile(beside, text, { mode })
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {})
    throw readOnly(file, `${(error as NodeJS.ErrnoException).code ?? 'it failed'} in its folder`)
  }
}

const ANYBODY_WRITES = 0o222

const readOnly = (file: string, why: string): CommandError =>
  new CommandError(EXIT.refused, `${quote(basename(file))} cannot be written: ${why}. Nothing was changed`)

/** Properties that edits name. */
function propertiesIn(edits: readonly Edit[], schemas: ConfigurationSchemas) {
  return edits.flatMap((edit) => {
    if (!('property' in edit)) return []
    const { spi, names } = partsOf(edit.property, { schemas })
    const name = Object.hasOwn(schemas[spi] ?? {}, names[0] ?? '') ? names[1] : names[0]
    return name === undefined ? [] : [{ spi, name, edit }]
  })
}

function shadowedBy(
  edits: readonly Edit[],
  { spis }: Description,
  schemas: ConfigurationSchemas,
): readonly string[] {
  return propertiesIn(edits, schemas)
    .filter(({ spi, name }) => spis[spi]?.properties[name]?.origin === 'env')
    .map(({ spi, name }) => `${spi}.${name}`)
}

function refuseSecrets(edits: readonly Edit[], { spis }: Description, schemas: ConfigurationSchemas): void {
  const secret = propertiesIn(edits, schemas).find(
    ({ spi, name, edit }) => 'value' in edit && isMasked(spis[spi]?.properties[name]?.value),
  )
  if (secret === undefined) return
  throw new CommandError(
    EXIT.usage,
    `${secret.spi}.${secret.name} is secret, and every user of this machine can read arguments. Give it on standard input: set ${secret.spi}.${secret.name} -`,
  )
}

const isMasked = (value: unknown): boolean => JSON.stringify(value ?? null).includes('***')

/** Every text below a value. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

/** What stands in a file where the description shows nothing. */
function secretsIn(document: ConfigDocument, description: Description | undefined): string[] {
  const value = document.value()
  const hidden = Object.entries(description?.spis ?? {}).flatMap(([spi, { properties, known }]) =>
    Object.entries(properties)
      .filter(([, property]) => isMasked(property.value))
      .flatMap(([name]) =>
        [['redis', name], ['spi', spi, name], ...known.map((id) => ['spi', spi, id, name])].flatMap((path) =>
          textsIn(valueAt(value, path)),
        ),
      ),
  )
  return [...hidden, ...textsIn(valueAt(value, ['keyring', 'keys']))]
}

function diffOf(
  name: string,
  before: ConfigDocument,
  after: ConfigDocument,
  descriptions: readonly (Description | undefined)[],
): string {
  if (before.text === after.text) return ''
  const patch = createPatch(name, before.text, after.text, undefined, undefined, { context: 0 })
  const lines = patch.split('\n').filter((line) => /^[+-](?![+-]{2} )/.test(line))
  const secrets = [before, after]
    .flatMap((document, n) => secretsIn(document, descriptions[n]))
    .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
    .filter((text) => text !== '')
    .sort((a, b) => b.length - a.length)
  return lines
    .map((line) => secrets.reduce((text, secret) => text.replaceAll(secret, '***'), line))
    .join('\n')
}
