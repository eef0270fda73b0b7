import type { Seals } from './seals.js'

/**
 * Whether a request that changes something comes from a page of the console: what the browser says of where it comes from, the
 * origin it names, and the seal of a form that was made for this operator. Each must hold for itself.
 *
 * @param origin The address that browsers see, where it is not that of the request.
 */
export function comesFromHere(request: Request, origin: string | undefined): boolean {
  const site = request.headers.get('sec-fetch-site')
  const from = request.headers.get('origin')
  if (site === null && from === null) return false
  return (site === null || site === 'same-origin') && (from === null || isOurs(from, request, origin))
}

function isOurs(from: string, request: Request, origin: string | undefined): boolean {
  if (origin !== undefined) return from === origin
  // A proxy that ends TLS changes the scheme, not the host.
  return URL.canParse(from) && new URL(from).host === new URL(request.url).host
}

/** Whether a form was made for this operator, not long ago. */
export const isOwnForm = (seals: Seals, token: string | undefined, operatorId: string): boolean =>
  token !== undefined && seals.open('form', token, operatorId) !== undefined
