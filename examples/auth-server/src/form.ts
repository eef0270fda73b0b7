import type { Context } from 'hono'

const MAX_NAME_BYTES = 200

/** The text fields of a posted form. One that was given twice counts as not given. */
export async function readForm(c: Context): Promise<Readonly<Record<string, string>>> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(c.req.header('content-type') ?? '')) return {}
  const fields = await c.req.parseBody({ all: true })
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string'),
  )
}

/** Whether a text from outside can name a client, a user or a tab: what is too long for a name is nobody's. */
export const isName = (text: string): boolean => text.length > 0 && Buffer.byteLength(text) <= MAX_NAME_BYTES
