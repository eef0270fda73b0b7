import type { User } from './config.js'
import { verifyPassword } from './passwords.js'
import type { Services } from './services.js'

/**
 * The user whose name and password these are.
 *
 * `undefined` for an unknown name, a wrong password and a locked account: the caller can not tell which, and each
 * takes the time of one password check.
 */
export async function checkCredentials(
  { state, realmId, directory }: Services,
  username: string,
  password: string,
  ip: string | undefined,
): Promise<User | undefined> {
  const user = await directory.userNamed(username)
  if (user === undefined) {
    await verifyPassword(password, directory.decoyHash)
    return undefined
  }
  const attempt = await state.loginFailures.guard(realmId, user.id, { ip }, () =>
    verifyPassword(password, user.passwordHash),
  )
  if (attempt.outcome === 'locked') await verifyPassword(password, directory.decoyHash)
  return attempt.outcome === 'success' ? user : undefined
}
