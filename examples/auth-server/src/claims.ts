import type { User } from './config.js'

/** What the scopes allow to be said of a user. @see OpenID Connect Core 1.0 §5.4 */
export function userClaims({ name, username, email }: User, scope: string): Record<string, string> {
  const scopes = scope.split(' ')
  return {
    ...(scopes.includes('profile') && { name, preferred_username: username }),
    ...(scopes.includes('email') && { email }),
  }
}
