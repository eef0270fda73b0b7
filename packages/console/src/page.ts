import { type Hole, type Html, html, named } from './html.js'
import { may, type Operator, type RightName } from './operator.js'
import type { CheckedOptions } from './options.js'
import type { Seals } from './seals.js'

/** Parts of a query; what is `undefined` is left out. */
export type Query = Readonly<Record<string, string | undefined>>

/** A path below a base, with its query, spelt for an address. */
export function pathOf(base: string, path: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return `${base}/${path}${given.length === 0 ? '' : `?${given.join('&')}`}`
}

/** What a page is made for. */
export interface PageParts {
  readonly options: CheckedOptions
  readonly seals: Seals
  readonly operator: Operator
  /** Those that the operator sees. */
  readonly realms: readonly string[]
  /** The realm of the page, absent where it is of none. */
  readonly realmId?: string | undefined
  /** The page itself, for the way back. */
  readonly here: string
  readonly now: number
  /** Nothing can be done now, as the store is away. */
  readonly isAway: boolean
}

/** What views write links and forms with. */
export class Page {
  readonly parts: PageParts
  readonly now: number
  readonly realmId: string
  readonly #token: string

  constructor(parts: PageParts) {
    this.parts = parts
    this.now = parts.now
    this.realmId = parts.realmId ?? ''
    this.#token = parts.seals.seal('form', '', parts.operator.id)
  }

  /** The address of another page of the console. */
  path(path: string, query: Query = {}): string {
    return pathOf(this.parts.options.basePath, path, query)
  }

  /** A link to another page. */
  link(path: string, query: Query, text: Html | string): Html {
    return html`<a href="${this.path(path, query)}">${text}</a>`
  }

  /** A name as a link to the page of the user. */
  user(userId: string | undefined, reference: string | undefined, name?: string): Html {
    if (userId === undefined || reference === undefined) return html`<i>no user</i>`
    const path = `users/${encodeURIComponent(this.realmId)}/${reference}`
    const also = name !== undefined && name !== userId && html` <small>${named(name)}</small>`
    return html`<a href="${this.path(path)}">${named(userId)}</a>${also}`
  }

  /** Whether the operator may do something here. */
  can(right: RightName): boolean {
    const { operator, options, realmId } = this.parts
    return !options.readOnly && may(operator, right, realmId)
  }

  /**
   * A form that does something; nothing where the operator may not.
   *
   * @param back Where its answer leads.
   */
  form(right: RightName, action: string, content: Html, back = this.parts.here): Html {
    if (!this.can(right)) return html``
    const { realmId } = this.parts
    return html`<form method="post" action="${this.path(`api/v1/${action}`, { realm: realmId })}">
<input type="hidden" name="token" value="${this.#token}"><input type="hidden" name="back" value="${back}">${content}</form>`
  }

  /** A form that looks something up by what must not stand in an address. */
  lookup(action: string, content: Html): Html {
    const { realmId } = this.parts
    return html`<form method="post" action="${this.path(`api/v1/${action}`, { realm: realmId })}">
<input type="hidden" name="token" value="${this.#token}">${content}</form>`
  }

  /** A button that sends its form; off while the store is away. */
  button(
    text: string | Html,
    about: { readonly name?: string; readonly value?: string; readonly label?: string } = {},
  ): Html {
    const { name, value, label } = about
    return html`<button${name !== undefined && html` name="${name}"`}${value !== undefined && html` value="${value}"`}${label !== undefined && html` aria-label="${label}"`} data-does${this.parts.isAway && html` disabled`}>${text}</button>`
  }
}

/** A column of a table. */
export interface Column<Row> {
  readonly title: string | Html
  readonly of: (row: Row, n: number) => Hole
  readonly isNumber?: boolean
}

/** A table under its caption; a sentence instead of one without rows. */
export function table<Row>(
  caption: string,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  empty: string | Html,
): Html {
  if (rows.length === 0) return html`<h2>${caption}</h2><p class="empty">${empty}</p>`
  const kind = ({ isNumber }: Column<Row>) => isNumber === true && html` class="n"`
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${kind(column)}>${column.title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (
      row,
      n,
    ) => html`<tr>${columns.map((column) => html`<td${kind(column)}>${cellOf(column.of(row, n))}</td>`)}</tr>
`,
  )}</tbody></table></div>`
}

const cellOf = (content: Hole): Hole =>
  content === undefined || content === false || content === '' ? '–' : content

/** Names with their values. */
export const facts = (rows: readonly (readonly [string, Html | string | number | undefined])[]): Html =>
  html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value ?? '–'}</dd></div>`)}</dl>`
