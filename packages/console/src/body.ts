import { bodyText, isPlainObject } from '@authstate/spi/internal'

/** Most bytes of a body. */
export const MOST_BODY_BYTES = 65_536

/** What a form or a program sent: of each name its texts. */
export type Fields = ReadonlyMap<string, readonly string[]>

/** What was sent; `undefined` when it is too large, or neither a form nor an object of texts. */
export async function readFields(request: Request): Promise<Fields | undefined> {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';')
  const isJson = type.trim() === 'application/json'
  if (!isJson && type.trim() !== 'application/x-www-form-urlencoded') return undefined
  const text = await bodyText(request, MOST_BODY_BYTES)
  if (text === undefined) return undefined
  return isJson ? fieldsOfJson(text) : fieldsOfForm(text)
}

/** Whether the answer is for a program. */
export const isFromProgram = (request: Request): boolean =>
  request.headers.get('content-type')?.startsWith('application/json') === true

function fieldsOfForm(text: string): Fields {
  const fields = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(text)) {
    const values = fields.get(name) ?? []
    fields.set(name, values)
    values.push(value)
  }
  return fields
}

function fieldsOfJson(text: string): Fields | undefined {
  try {
    const object: unknown = JSON.parse(text)
    if (!isPlainObject(object)) return undefined
    const entries = Object.entries(object).map(([name, value]) => [name, [value].flat()] as const)
    const isText = entries.every(([, values]) => values.every((value) => typeof value === 'string'))
    return isText ? new Map(entries as [string, string[]][]) : undefined
  } catch {
    return undefined
  }
}
