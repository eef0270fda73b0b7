import type { Context } from 'hono'

/** The text fields of a posted form. One that was given twice counts as not given. */
export async function readForm(c: Context): Promise<Readonly<Record<string, string>>> {
  const fields = await c.req.parseBody({ all: true })
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string'),
  )
}
