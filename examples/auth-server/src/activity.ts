import type { AuthState } from 'authstate'

const MOST_KEPT = 500
const MOST_SHOWN = 5

/** Something that happened to a session of a user. */
export interface Happening {
  readonly at: number
  readonly what: string
}

const ENDINGS: Readonly<Record<string, string>> = {
  removed: 'was signed out',
  user: 'was ended with others',
  limit: 'was ended to make room for another',
}

/**
 * What this node did to sessions: began them, ended them, found them expired. The newest are kept, in memory; what
 * other nodes did is told there.
 */
export class Activity {
  readonly #kept: (Happening & { readonly userId: string })[] = []

  constructor(userSessions: AuthState['userSessions'], realmId: string) {
    for (const type of ['created', 'removed', 'expired'] as const) {
      userSessions.on(type, (event) => {
        if (event.realmId !== realmId || event.userId === undefined) return
        const what = type === 'created' ? 'began' : type === 'expired' ? 'expired' : ending(event.reason)
        this.#kept.push({ userId: event.userId, at: event.at, what })
        if (this.#kept.length > MOST_KEPT) this.#kept.shift()
      })
    }
  }

  /** The newest first. */
  ofUser(userId: string): readonly Happening[] {
    return this.#kept
      .filter((one) => one.userId === userId)
      .slice(-MOST_SHOWN)
      .reverse()
  }
}

const ending = (reason = ''): string => ENDINGS[reason] ?? 'was ended'
