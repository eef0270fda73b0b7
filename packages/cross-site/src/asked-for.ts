import type { SiteJoiner } from '@authstate/redis'
import type { Link } from './link.js'

/**
 * The link to a site that a caller named.
 *
 * @throws {TypeError} the site or the service is not configured
 */
export function linkTo(links: readonly Link[], site: string, spi?: string): Link {
  const link = links.find(({ to }) => to === site)
  if (link === undefined) {
    const known = links.map(({ to }) => `"${to}"`).join(', ')
    throw new TypeError(`"site" must be one of ${known}`)
  }
  if (spi !== undefined && link.backup(spi) === undefined) {
    const services = Object.keys(link.info.services).join(', ')
    throw new TypeError(`"spi" must be one of ${services}`)
  }
  return link
}

/** @throws {TypeError} the service is not kept in step */
export function assertService(joiners: readonly SiteJoiner[], { spi }: { readonly spi?: string } = {}): void {
  const known = joiners.map((joiner) => joiner.spi)
  if (spi === undefined || spi === 'all' || known.includes(spi)) return
  const list = known.map((name) => `'${name}'`).join(', ')
  throw new TypeError(`"options.spi" must be a service that is kept in step: ${list}`)
}
