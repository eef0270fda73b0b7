import { join } from 'node:path'
import type { Service } from '@authstate/spi'
import ts from 'typescript'
import { root } from '../lib/run.mjs'
import { type Changes, table } from './changes.js'
import { commentOf, programOf } from './source.js'

const PAGE = 'docs/events.md'

/** The table of events of each service that has some, from the types of its contract: fields from the type, words from the comment. */
export function eventTables(changes: Changes, services: readonly Service[]): void {
  const telling = services.filter(({ events }) => events.length > 0)
  const pathOf = ({ name }: Service) => `packages/${name}/src/contract.ts`
  const program = programOf(telling.map(pathOf))
  for (const service of telling) {
    const events = eventsOf(program, pathOf(service))
    const names = events.map(({ name }) => name)
    if (names.toSorted().join() !== service.events.toSorted().join())
      throw new Error(
        `${service.name}: the events of service.ts are not those of its contract: ${names.join(', ')}`,
      )
    let before = ''
    const rows = events.map(({ name, when, fields }) => {
      const cell = fields.map((field) => `\`${field}\``).join(', ')
      const row = [`\`${name}\``, when, cell === before ? 'the same' : cell]
      before = cell
      return row
    })
    changes.addPlace(PAGE, `events of ${service.name}`, `## ${service.name}`)
    changes.fill(PAGE, `events of ${service.name}`, table(['event', 'when', 'fields'], rows))
  }
}

interface EventRow {
  readonly name: string
  readonly when: string
  readonly fields: readonly string[]
}

/** What the interface `…Events` of a contract says. */
function eventsOf(program: ts.Program, path: string): EventRow[] {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(join(root, path))
  const module = file && checker.getSymbolAtLocation(file)
  const found = module && checker.getExportsOfModule(module).find(({ name }) => name.endsWith('Events'))
  if (found === undefined) throw new Error(`${path}: exports no interface whose name ends with "Events"`)
  return checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(declared(checker, found)))
    .map((event) => {
      const node = event.declarations?.[0]
      const when = node && commentOf(node)?.text
      if (node === undefined || !when)
        throw new Error(`${path}: the event "${event.name}" has no comment that says when`)
      const fields = checker.getPropertiesOfType(checker.getTypeOfSymbolAtLocation(event, node))
      const names = fields.map(({ name }) => name).filter((name) => name !== 'type')
      return { name: event.name, when, fields: ['type', ...names] }
    })
}

const declared = (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol =>
  (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
