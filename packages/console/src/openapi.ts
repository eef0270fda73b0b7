import { ACTIONS } from './actions.js'
import { SCREENS } from './routes.js'

const REALM = { name: 'realm', in: 'query', schema: { type: 'string' } }
const PROBLEM = {
  description: 'Trouble',
  content: { 'application/problem+json': { schema: { type: 'object' } } },
}
const TEXTS = { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }

const answered = (properties: object) => ({
  200: { description: 'Done', content: { 'application/json': { schema: { type: 'object', properties } } } },
  default: PROBLEM,
})

const parametersOf = (path: string, isOfRealm: boolean) => {
  const named = path.split('/').filter((part) => part.startsWith(':'))
  const inPath = named.map((part) => ({
    name: part.slice(1),
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return [...inPath, ...(isOfRealm && inPath.length === 0 ? [REALM] : [])]
}

const spelt = (path: string): string => `/${path.replace(/:(\w+)/g, '{$1}')}`

/** What the API of the console has, for tools. */
export function openApi(basePath: string): object {
  const data = { at: { type: 'integer' }, away: { type: 'string' }, data: {} }
  return {
    openapi: '3.1.0',
    info: { title: 'authstate console', version: '1' },
    servers: [{ url: `${basePath}/api/v1` }],
    paths: Object.fromEntries([
      ...SCREENS.map(({ api, title, scope }) => [
        spelt(api),
        {
          get: {
            summary: title,
            parameters: parametersOf(api, scope === 'realm'),
            responses: answered(data),
          },
        },
      ]),
      ...ACTIONS.map(({ path, name, isOfRealm }) => [
        spelt(path),
        {
          post: {
            summary: name,
            parameters: parametersOf(path, isOfRealm),
            requestBody: {
              required: true,
              content: { 'application/json': { schema: { type: 'object', additionalProperties: TEXTS } } },
            },
            responses: answered({ text: { type: 'string' }, data: { type: 'object' } }),
          },
        },
      ]),
    ]),
  }
}
