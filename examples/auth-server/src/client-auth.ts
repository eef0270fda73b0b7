import type { Client } from './config.js'
import { OAuthError } from './oauth-error.js'
import { sameSecret } from './secrets.js'
import type { Services } from './services.js'

/**
 * The client that asks: by HTTP Basic, by fields of the form, or, for a public one, by its name alone.
 *
 * @throws {OAuthError} `invalid_client`, whatever was wrong
 * @see RFC 6749 §2.3.1
 */
export async function authenticateClient(
  { directory }: Pick<Services, 'directory'>,
  authorization: string | undefined,
  form: Readonly<Record<string, string>>,
): Promise<Client> {
  const { clientId, secret } = basic(authorization) ?? {
    clientId: form['client_id'] ?? '',
    secret: form['client_secret'],
  }
  const client = await directory.client(clientId)
  const known = client?.secret === undefined ? secret === undefined : sameSecret(secret, client.secret)
  if (client && known) return client
  throw new OAuthError('invalid_client', 'the client is not known or did not prove who it is', 401, {
    'www-authenticate': 'Basic realm="token"',
  })
}

function basic(header: string | undefined): { clientId: string; secret: string } | undefined {
  const encoded = /^Basic ([\w+/=-]+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [clientId = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return { clientId: decode(clientId), secret: decode(rest.join(':')) }
}

/** Both parts are form-encoded before they are joined. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return ''
  }
}
