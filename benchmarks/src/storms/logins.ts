import { createHash } from 'node:crypto'
import autocannon from 'autocannon'
import { Answers, CLIENT, FORM, type Storm, VERIFIER } from './storm.js'
import { PASSWORD, USERS } from './world.js'

/** What a login is made of: `/authorize`, the page, the password, `/token`. */
export const REQUESTS_OF_LOGIN = 4

interface Visit {
  begunAt: number
  cookie?: string
  path?: string
  fields?: Record<string, string>
  code?: string
}

const QUERY = new URLSearchParams({
  ...CLIENT,
  response_type: 'code',
  scope: 'openid',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
})

let nextUser = 0

/** Browsers sign in one after the other on each connection, and their client trades the code in. */
export async function stormOfLogins(
  origin: string,
  tokens: string[],
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<Storm> {
  const answers = new Answers(tokens)
  const { duration, errors } = await autocannon({
    url: origin,
    connections,
    duration: seconds,
    requests: [
      {
        method: 'GET',
        path: `/authorize?${QUERY}`,
        setupRequest: (request, context) => {
          ;(context as Visit).begunAt = performance.now()
          return request
        },
        onResponse: (_status, _body, context, headers) => {
          const visit = context as Visit
          visit.cookie = textOf(headers, 'set-cookie').split(';')[0] ?? ''
          visit.path = textOf(headers, 'location')
        },
      },
      {
        method: 'GET',
        setupRequest: (request, context) => {
          const { path = '/login', cookie = '' } = context as Visit
          return { ...request, path, headers: { cookie } }
        },
        onResponse: (_status, body, context) => {
          const hidden = [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)]
          ;(context as Visit).fields = Object.fromEntries(
            hidden.map(([, name = '', value = '']) => [name, value]),
          )
        },
      },
      {
        method: 'POST',
        path: '/login',
        setupRequest: (request, context) => {
          const { fields, cookie = '' } = context as Visit
          const user = { username: `user-${nextUser++ % USERS}`, password: PASSWORD }
          const body = new URLSearchParams({ ...fields, ...user }).toString()
          return { ...request, headers: { ...FORM, cookie }, body }
        },
        onResponse: (_status, _body, context, headers) => {
          const location = textOf(headers, 'location')
          const code = URL.canParse(location) ? new URL(location).searchParams.get('code') : null
          if (code !== null) (context as Visit).code = code
        },
      },
      {
        method: 'POST',
        path: '/token',
        headers: FORM,
        setupRequest: (request, context) => {
          const { code = '' } = context as Visit
          const grant = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
          return { ...request, body: new URLSearchParams({ ...CLIENT, ...grant }).toString() }
        },
        onResponse: (status, body, context) => answers.read(status, body, (context as Visit).begunAt),
      },
    ],
  })
  return answers.result(duration, errors)
}

function textOf(headers: object | undefined, name: string): string {
  const found = Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1]
  return String(Array.isArray(found) ? found[0] : (found ?? ''))
}
