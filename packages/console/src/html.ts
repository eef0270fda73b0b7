/** Markup that may stand in a page as it is. Only {@link html} makes it. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

/** What may stand in a hole of {@link html}: a text is escaped, nothing is left out, of a list every item stands. */
export type Hole = Html | string | number | undefined | false | readonly Hole[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Markup with holes. Everything that is put into a hole is escaped, also between the quotes of an attribute. */
export function html(parts: TemplateStringsArray, ...holes: readonly Hole[]): Html {
  return new Html(parts.reduce((text, part, n) => text + textOf(holes[n - 1]) + part))
}

function textOf(hole: Hole): string {
  if (hole instanceof Html) return hole.text
  if (Array.isArray(hole)) return hole.map(textOf).join('')
  if (hole === undefined || hole === false) return ''
  return String(hole).replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string)
}

/** Signs that are not seen, or that turn what stands beside them. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** A text from outside on one line: nothing in it hides or turns what stands beside it. */
export const plain = (text: string): string => text.replace(UNSEEN, '\ufffd')

/** A name that somebody else chose, such as that of a user: it reads in its own direction. */
export const named = (text: string): Html => html`<bdi>${plain(text)}</bdi>`
