import type { User } from './config.js'
import { verifyPassword } from './passwords.js'
import type { Services } from './services.js'

/**
 * The user whose name and password these are.
 *
 * `undefined` for an unknown name, a wrong password and a locked account: the caller cannot tell which, and each
 * takes the time of one password check.
 */
export async function checkCredentials(
  { state, realmId, directory }: Services,
  username: string,
  password: string,
  ip: string | undefined,
): Promise<User | undefined> {
  const user = await directory.userNamed(username)
  let checked = false
  const verify = async (): Promise<boolean> => {
    checked = true
    return verifyPassword(password, user?.passwordHash ?? directory.decoyHash)
  }
  const { loginFailures } = state
  const attempt = user
    ? await loginFailures.guard(realmId, user.id, { ip }, verify)
    : await loginFailures.guardUnknownUser(realmId, { ip, username }, verify)
  if (!checked) await verify()
  return attempt.outcome === 'success' ? user : undefined
}
