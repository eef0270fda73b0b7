import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'

interface Stored {
  readonly salt: Buffer
  readonly hash: Buffer
}

const stored = (password: string): Stored => {
  const salt = randomBytes(16)
  return { salt, hash: scryptSync(password, salt, 32) }
}

/** Your users, as a database would have them. */
const users = new Map([['ada', stored('open sesame')]])
const nobody = stored(randomBytes(16).toString('hex'))

/** An unknown name takes as long as a wrong password. */
export function isRight(name: string, password: string): boolean {
  const { salt, hash } = users.get(name) ?? nobody
  return timingSafeEqual(scryptSync(password, salt, 32), hash) && users.has(name)
}
