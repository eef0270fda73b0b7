import { basename } from 'node:path'
import { knownNames, quote } from '@authstate/spi/internal'
import { checkConfiguration, configurationSchemas, type Description } from 'authstate/configuration'
import type { ConfigEditOptions } from '../commands/config.js'
import type { CommonOptions, Context } from '../commands/context.js'
import { configurationOf, pluginsOf } from '../configuration.js'
import { changeFile } from '../editing/change-file.js'
import { type Edit, editOf } from '../editing/edits.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { findFile } from '../files.js'
import { type Column, jsonOf, painter, plain, tableOf } from '../output.js'

export async function validate({ surroundings }: Context, options: CommonOptions): Promise<void> {
  const description = await checkConfiguration(await configurationOf(options, surroundings))
  const selected = Object.entries(description.spis).flatMap(([spi, { selected: id }]) =>
    id === undefined ? [] : [[spi, id]],
  )
  const text = `valid: ${selected.map(([spi, id]) => `${spi} ${id}`).join(', ')}\n`
  surroundings.stdout.write(
    options.json ? jsonOf({ valid: true, selected: Object.fromEntries(selected) }) : text,
  )
}

const REASONS: Readonly<Record<string, string>> = {
  configured: 'the configuration names it',
  default: "it has the name that 'provider' says",
  'only one': 'it is the only one',
  nothing: 'no provider has this name',
  disabled: 'it is switched off',
}

export async function explain(
  { surroundings }: Context,
  spi: string | undefined,
  options: CommonOptions,
): Promise<void> {
  const { stdout } = surroundings
  const { spis } = await checkConfiguration(await configurationOf(options, surroundings))
  if (spi !== undefined && !Object.hasOwn(spis, spi)) {
    throw new CommandError(
      EXIT.configuration,
      `no SPI has the name ${quote(spi)}. ${knownNames(spi, Object.keys(spis))}`,
    )
  }
  const shown: Description['spis'] =
    spi === undefined ? spis : { [spi]: spis[spi] as Description['spis'][string] }
  if (options.json) {
    stdout.write(jsonOf(shown))
    return
  }
  const paint = painter(surroundings, stdout)
  for (const [name, { selected, reason, known, properties }] of Object.entries(shown)) {
    const why = REASONS[reason] ?? reason
    stdout.write(
      `${paint('bold', name)}  ${selected ?? 'no provider'}, because ${why} (known: ${known.join(', ')})\n`,
    )
    const rows = Object.entries(properties)
    const columns: Column<(typeof rows)[number]>[] = [
      { title: '  PROPERTY', of: ([property]) => `  ${property}` },
      {
        title: 'VALUE',
        of: ([, { value }]) => (typeof value === 'string' ? value : JSON.stringify(value)),
        canShrink: true,
      },
      { title: 'FROM', of: ([, { origin }]) => origin },
    ]
    if (rows.length > 0) stdout.write(tableOf(rows, columns, stdout))
  }
}

export async function schema(
  { surroundings }: Context,
  spi: string | undefined,
  provider: string | undefined,
): Promise<void> {
  const schemas = await configurationSchemas()
  const chosen = spi === undefined ? schemas : pick(schemas, spi, 'SPI')
  surroundings.stdout.write(
    jsonOf(provider === undefined ? chosen : pick(chosen, provider, `provider of ${spi}`)),
  )
}

function pick<T>(from: Readonly<Record<string, T>>, name: string, kind: string): T {
  const found = Object.hasOwn(from, name) ? from[name] : undefined
  if (found !== undefined) return found
  throw new CommandError(
    EXIT.configuration,
    `no ${kind} has the name ${quote(name)}. ${knownNames(name, Object.keys(from))}`,
  )
}

/** Makes the edits that standard input has. */
export async function editBatch(context: Context, options: ConfigEditOptions): Promise<void> {
  await edit(context, linesOf(await context.surroundings.readInput()), options, false)
}

/** Words of each line; `#` begins a comment, and quotes keep words together. */
function linesOf(text: string): string[][] {
  return text
    .split(/\r?\n/)
    .map((line) =>
      [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(#.*$)|(\S+)/g)].flatMap(
        ([, double, single, comment, bare]) =>
          comment === undefined ? [double?.replace(/\\(.)/g, '$1') ?? single ?? bare ?? ''] : [],
      ),
    )
    .filter((words) => words.length > 0)
}

export async function edit(
  { surroundings }: Context,
  lines: readonly (readonly string[])[],
  options: ConfigEditOptions,
  areArguments = true,
): Promise<void> {
  const { cwd, env, stdout, stderr } = surroundings
  const file = await findFile(cwd, options.config)
  if (file === undefined) {
    throw new CommandError(
      EXIT.configuration,
      'there is no file to change: give its name with --config, or name it authstate.config.json',
    )
  }
  const fromInput = areArguments && lines.some(([, , value]) => value === '-')
  const input = fromInput ? (await surroundings.readInput()).replace(/\r?\n$/, '') : ''
  const edits: Edit[] = lines.map((words) =>
    editOf(words.map((word, n) => (fromInput && n === 2 && word === '-' ? input : word))),
  )
  if (edits.length === 0) throw new CommandError(EXIT.nothing, 'there is nothing to change')
  const plugins = await pluginsOf(options.plugin ?? [], cwd)
  const { diff, shadowed, description } = await changeFile(file, edits, {
    schemas: await configurationSchemas(plugins),
    around: {
      env: env as Record<string, string | undefined>,
      ...(plugins.length > 0 && { providers: plugins }),
    },
    dryRun: options.dryRun === true,
    areArguments: areArguments && !fromInput,
  })
  if (options.json)
    stdout.write(jsonOf({ file: basename(file), changed: diff !== '' && !options.dryRun, diff, shadowed }))
  else if (diff === '') stdout.write(`${basename(file)} says so already\n`)
  else {
    const paint = painter(surroundings, stdout)
    for (const line of diff.split('\n'))
      stdout.write(`${paint(line.startsWith('-') ? 'red' : 'green', plain(line))}\n`)
    for (const change of edits) {
      if (change.verb !== 'unset') continue
      const applies = defaultOf(change.property, description)
      if (applies !== undefined) stdout.write(`${change.property} is ${applies} now\n`)
    }
    stdout.write(options.dryRun ? 'nothing was written\n' : 'takes effect at the next start\n')
  }
  for (const property of shadowed)
    stderr.write(`warning: a variable of the environment overrides ${property}\n`)
}

function defaultOf(property: string, { spis }: Description): string | undefined {
  const [spi = '', ...names] = property.split('.')
  const { known = [], properties = {} } = spis[spi] ?? {}
  const name = known.includes(names[0] ?? '') ? names[1] : names[0]
  const described = properties[name ?? '']
  return described === undefined ? undefined : JSON.stringify(described.value)
}
