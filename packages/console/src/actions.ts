import { type Action, assertTyped, one } from './action.js'
import { counted } from './format.js'
import { BadRequest, type Sources } from './screen.js'
import { SITE_ACTIONS } from './site-actions.js'

const MOST_REFERENCES = 100

/** A user or network by its reference. @throws {BadRequest} it names none */
function opened(
  purpose: 'user' | 'client' | 'network',
  sealed: string | undefined,
  realmId: string,
  { seals }: Sources,
): string {
  const text = sealed === undefined ? undefined : seals.open(purpose, sealed, realmId)
  if (text === undefined)
    throw new BadRequest(
      `Nothing was done: the ${purpose} is named by what a page of the last twelve hours says.`,
    )
  return text
}

const ended = ({ ended, unknown }: { readonly ended: number; readonly unknown: number }) => ({
  count: ended,
  text: `${counted(ended, 'session')} ended${unknown > 0 ? `, ${unknown} had ended already` : ''}.`,
  data: { ended, unknown },
})

const endSessions: Action = {
  path: 'sessions/end',
  name: 'sessions.end',
  right: 'endSessions',
  isOfRealm: true,
  async plan({ realmId, fields }, { operations }) {
    const references = fields.get('refs') ?? []
    if (references.length === 0) throw new BadRequest('Nothing was done: no session was chosen.')
    if (references.length > MOST_REFERENCES) {
      throw new BadRequest(`Nothing was done: at most ${MOST_REFERENCES} sessions can be chosen.`)
    }
    return {
      subject: {},
      run: async () => ended(await operations.sessions.end(realmId, { references })),
    }
  },
}

const endUser: Action = {
  path: 'users/:realm/:reference/end',
  name: 'user.end',
  right: 'endSessions',
  isOfRealm: true,
  async plan({ realmId, rest, fields }, sources) {
    const { operations } = sources
    const userId = opened('user', rest[0], realmId, sources)
    const except = one(fields, 'except')
    const about = { subject: { userId } }
    if (except !== undefined) {
      return {
        ...about,
        run: async () => ended(await operations.sessions.end(realmId, { userId, except })),
      }
    }
    return {
      ...about,
      run: async () => {
        await operations.endUser(realmId, userId)
        return { count: 1, text: 'The user is signed out everywhere.', data: { ended: true } }
      },
    }
  },
}

const endClient: Action = {
  path: 'clients/end',
  name: 'sessions.end',
  right: 'endSessions',
  isOfRealm: true,
  async plan({ realmId, fields }, sources) {
    const clientId = opened('client', one(fields, 'client'), realmId, sources)
    assertTyped(fields, clientId, 'the id of the client')
    return {
      subject: { clientId },
      run: async () => ended(await sources.operations.sessions.end(realmId, { clientId })),
    }
  },
}

const clearFailures: Action = {
  path: 'failures/clear',
  name: 'failures.clear',
  right: 'clearFailures',
  isOfRealm: true,
  async plan({ realmId, fields }, sources) {
    const { failures } = sources.operations
    const network = one(fields, 'network')
    const told = (isCleared: boolean) => ({
      count: Number(isCleared),
      text: isCleared ? 'Failures are forgotten and the lock has ended.' : 'There was nothing to forget.',
      data: { cleared: Number(isCleared) },
    })
    if (network !== undefined) {
      const id = opened('network', network, realmId, sources)
      const [ip = ''] = id.split('/')
      return {
        subject: { network: id },
        run: async () => told(await failures.clear(realmId, { ip })),
      }
    }
    const userId = opened('user', one(fields, 'user'), realmId, sources)
    return {
      subject: { userId },
      run: async () => told(await failures.clear(realmId, { userId })),
    }
  },
}

const clearRealm: Action = {
  path: 'failures/clear-realm',
  name: 'failures.clear',
  right: 'clearFailures',
  isOfRealm: true,
  async plan({ realmId, fields }, { operations }) {
    assertTyped(fields, realmId, 'the name of the realm')
    return {
      subject: {},
      run: async () => {
        const count = await operations.failures.clearAll(realmId)
        return { count, text: `${counted(count, 'record')} forgotten.`, data: { cleared: count } }
      },
    }
  },
}

const clearCache: Action = {
  path: 'cache/clear',
  name: 'caches.clear',
  right: 'clearCache',
  isOfRealm: false,
  async plan({ fields }, { operations }) {
    const region = one(fields, 'region')
    const known = Object.keys(operations.caches.stats())
    if (region !== undefined && !known.includes(region)) {
      throw new BadRequest('Nothing was done: this node has not opened a region of that name.')
    }
    return {
      subject: { ...(region !== undefined && { region }) },
      run: async () => {
        await (region === undefined ? operations.caches.clearAll() : operations.caches.clear(region))
        const count = region === undefined ? known.length : 1
        return { count, text: `${counted(count, 'region')} emptied on every node.`, data: { cleared: count } }
      },
    }
  },
}

/** All that can be done. */
export const ACTIONS: readonly Action[] = [
  endSessions,
  endUser,
  endClient,
  clearFailures,
  clearRealm,
  clearCache,
  ...SITE_ACTIONS,
]
