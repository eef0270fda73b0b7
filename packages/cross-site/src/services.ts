import type { SiteJoiner } from '@authstate/redis'
import { userSessionJoiner } from '@authstate/user-session/sites'

/** `async`: other sites are told as something changes, and no verb waits for them. `none`: it stays at its site. */
export type Strategy = 'async' | 'none'

/** A service that sites may keep in step. */
export interface SiteService {
  readonly spi: string
  /** What it does where nobody says otherwise. */
  readonly strategy: Strategy
  /** How its records are joined; without it, it stays at its site. */
  readonly joiner?: SiteJoiner
}

/** Services of ours: a further one is one line, and its joiner. */
export const siteServices = [
  { spi: 'user-session', strategy: 'async', joiner: userSessionJoiner },
  { spi: 'action-token', strategy: 'async' },
  { spi: 'login-failure', strategy: 'async' },
  { spi: 'web-session', strategy: 'async' },
  { spi: 'realm-cache', strategy: 'async' },
  { spi: 'cluster', strategy: 'async' },
  { spi: 'auth-session', strategy: 'none' },
] as const satisfies readonly SiteService[]

/** The name of a service of ours that sites may keep in step. */
export type SiteServiceName = (typeof siteServices)[number]['spi']

/** All services that a configuration may name: ours, and those of plugins whose joiners it gives. */
export const servicesWith = (joiners: readonly SiteJoiner[]): readonly SiteService[] => [
  ...siteServices,
  ...joiners.map((joiner): SiteService => ({ spi: joiner.spi, strategy: 'async', joiner })),
]

/** What a service does: as the configuration says, else as it is meant; what has no joiner stays at its site. */
export const strategyOf = (
  { spi, strategy, joiner }: SiteService,
  told: Readonly<Record<string, { readonly strategy?: Strategy | undefined }>>,
): Strategy => (joiner === undefined ? 'none' : (Object.hasOwn(told, spi) && told[spi]?.strategy) || strategy)

/** What is wrong with services that a configuration names, and joiners that it gives. */
export function mistakesOfServices(
  told: Readonly<Record<string, { readonly strategy?: Strategy | undefined }>>,
  joiners: readonly SiteJoiner[],
): string[] {
  const services = servicesWith(joiners)
  const known = services.map(({ spi }) => spi)
  const twice = joiners.filter(({ spi }, index) => known.indexOf(spi) !== siteServices.length + index)
  return [
    ...twice.map(({ spi }) => `crossSite.joiners: there is a joiner for ${spi} already`),
    ...Object.entries(told).flatMap(([spi, { strategy = 'none' }]) => {
      const service = services.find((one) => one.spi === spi)
      if (service === undefined) {
        return [
          `crossSite.spi.${spi}: there is no such service. Known: ${known.join(', ')}; give the joiner of another one in joiners`,
        ]
      }
      return service.joiner === undefined && strategy !== 'none'
        ? [`crossSite.spi.${spi}.strategy: not built yet: ${spi} stays at its site, so it can only be 'none'`]
        : []
    }),
  ]
}
