import autocannon from 'autocannon'
import { Answers, CLIENT, FORM, type Storm } from './storm.js'

/** Clients refresh: each token is used once, for the next one of its session. */
export async function stormOfRefreshes(
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
        method: 'POST',
        path: '/token',
        headers: FORM,
        setupRequest: (request, context) => {
          ;(context as { begunAt: number }).begunAt = performance.now()
          const grant = { grant_type: 'refresh_token', refresh_token: tokens.shift() ?? 'none' }
          return {
            ...request,
            body: new URLSearchParams({ client_id: CLIENT.client_id, ...grant }).toString(),
          }
        },
        onResponse: (status, body, context) =>
          answers.read(status, body, (context as { begunAt: number }).begunAt),
      },
    ],
  })
  return answers.result(duration, errors)
}
