import { createNodeEndpoints } from '@authstate/application-node'
import type { Handler } from 'hono'
import { authenticateClient } from './client-auth.js'
import { OAuthError } from './oauth-error.js'
import type { Services } from './services.js'
import type { Telling } from './telling.js'

/** Where nodes of an application make themselves known, and leave. */
export function nodeEndpoints(
  { directory, realmId }: Services,
  { nodes }: Telling,
): { readonly register: Handler; readonly unregister: Handler } {
  const { registerNode, unregisterNode } = createNodeEndpoints(nodes, {
    authenticate: async (request, form) => {
      try {
        const authorization = request.headers.get('authorization') ?? undefined
        const client = await authenticateClient({ directory }, authorization, fieldsOf(form))
        return { realmId, clientId: client.clientId, isPublic: client.secret === undefined }
      } catch (error) {
        if (error instanceof OAuthError) return undefined
        throw error
      }
    },
    onError: (error) => console.error(error),
  })
  return { register: (c) => registerNode(c.req.raw), unregister: (c) => unregisterNode(c.req.raw) }
}

/** As `readForm`: a field that was given twice counts as not given. */
const fieldsOf = (form: URLSearchParams): Readonly<Record<string, string>> =>
  Object.fromEntries([...form].filter(([name]) => form.getAll(name).length === 1))
