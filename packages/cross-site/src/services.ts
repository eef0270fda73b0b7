import { actionTokenJoiner } from '@authstate/action-token/sites'
import { authSessionJoiner } from '@authstate/auth-session/sites'
import type { SiteTopic } from '@authstate/cluster/sites'
import { loginFailureJoiner } from '@authstate/login-failure/sites'
import { realmCacheTopic } from '@authstate/realm-cache/sites'
import type { SiteJoiner } from '@authstate/redis'
import { userSessionJoiner } from '@authstate/user-session/sites'
import { webSessionJoiner } from '@authstate/web-session/sites'
import type { Strategy } from './backup.js'

/** A service that sites may keep in step. */
export interface SiteService {
  readonly spi: string
  /** Its default. */
  readonly strategy: Strategy
  /** How its records are joined. */
  readonly joiner?: SiteJoiner
  /**
   * What of the work channel travels: a topic, or all topics without a service of their own. Without this and a joiner, the service
   * stays at its site.
   */
  readonly work?: SiteTopic | 'everything'
}

/** Built-in services. A further one is one line, and its joiner. */
export const siteServices = [
  { spi: 'user-session', strategy: 'async', joiner: userSessionJoiner },
  { spi: 'action-token', strategy: 'async', joiner: actionTokenJoiner },
  { spi: 'login-failure', strategy: 'async', joiner: loginFailureJoiner },
  { spi: 'web-session', strategy: 'async', joiner: webSessionJoiner },
  { spi: 'realm-cache', strategy: 'async', work: realmCacheTopic },
  { spi: 'cluster', strategy: 'async', work: 'everything' },
  { spi: 'auth-session', strategy: 'none', joiner: authSessionJoiner },
] as const satisfies readonly SiteService[]

/** The name of a built-in service that sites may keep in step. */
export type SiteServiceName = (typeof siteServices)[number]['spi']

/** All services that a configuration may name: built-in ones, and those of plugins whose joiners it gives. */
export const servicesWith = (joiners: readonly SiteJoiner[]): readonly SiteService[] => [
  ...siteServices,
  ...joiners.map((joiner): SiteService => ({ spi: joiner.spi, strategy: 'async', joiner })),
]

/** Whether anything of a service leaves its site. */
const travels = ({ joiner, work }: SiteService): boolean => joiner !== undefined || work !== undefined

/** What a service does: as configured, else its default. A service without a joiner stays at its site. */
export const strategyOf = (
  service: SiteService,
  told: Readonly<Record<string, { readonly strategy?: Strategy | undefined }>>,
): Strategy => {
  const { spi, strategy } = service
  if (!travels(service)) return 'none'
  return (Object.hasOwn(told, spi) ? told[spi]?.strategy : undefined) ?? strategy
}

/** Mistakes in the services that a configuration names, and in the joiners that it gives. */
export function mistakesOfServices(
  told: Readonly<
    Record<string, { readonly strategy?: Strategy | undefined; readonly perSite?: object | undefined }>
  >,
  joiners: readonly SiteJoiner[],
): string[] {
  const services = servicesWith(joiners)
  const known = services.map(({ spi }) => spi)
  const twice = joiners.filter(({ spi }, index) => known.indexOf(spi) !== siteServices.length + index)
  return [
    ...twice.map(({ spi }) => `crossSite.joiners: there is a joiner for ${spi} already`),
    ...Object.entries(told).flatMap(([spi, { strategy = 'none', perSite }]) => {
      const service = services.find((one) => one.spi === spi)
      if (service === undefined) {
        return [
          `crossSite.spi.${spi}: there is no such service. Known: ${known.join(', ')}; give the joiner of another one in joiners`,
        ]
      }
      if (
        travels(service) &&
        service.joiner === undefined &&
        (strategy === 'sync' || perSite !== undefined)
      ) {
        const place = strategy === 'sync' ? 'strategy' : 'perSite'
        return [
          `crossSite.spi.${spi}.${place}: has no effect: its messages go to every site alike, and no verb waits for them`,
        ]
      }
      return !travels(service) && strategy !== 'none'
        ? [`crossSite.spi.${spi}.strategy: not built yet: ${spi} stays at its site, so it can only be 'none'`]
        : []
    }),
  ]
}
