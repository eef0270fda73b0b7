import { ConfigurationError } from '@authstate/spi'
import type { CheckedConfig } from './config.js'

type Marks = Readonly<Record<string, string>>

/** Mistakes in the marks of sites. @param sites The names of all sites. */
export function mistakesOfMarks(marks: Marks, sites: readonly string[]): string[] {
  const named = Object.entries(marks)
  return [
    ...sites
      .filter((site) => !Object.hasOwn(marks, site))
      .map((site) => `crossSite.marks: has no mark for the site "${site}"`),
    ...named
      .filter(([site]) => !sites.includes(site))
      .map(([site]) => `crossSite.marks.${site}: there is no such site. Known: ${sites.join(', ')}`),
    ...named.flatMap(([site, mark], at) => {
      const other = named.slice(0, at).find(([, taken]) => taken === mark)?.[0]
      return other === undefined
        ? []
        : [
            `crossSite.marks.${site}: is "${mark}", which is the mark of the site "${other}" too: give each site a mark of its own`,
          ]
    }),
  ]
}

/** All sites with their marks, as one text that is equal at sites that are configured alike: `lisbon=l,oslo=o`. */
export const membersOf = ({ site, sites, marks }: Pick<CheckedConfig, 'site' | 'sites' | 'marks'>): string =>
  [site, ...Object.keys(sites)]
    .sort()
    .map((name) => (marks === undefined ? name : `${name}=${marks[name]}`))
    .join(',')

/** What a site has recorded of all sites. */
export interface Membership {
  readonly version: number
  /** As {@link membersOf}; `undefined`: nothing is recorded. */
  readonly members: string | undefined
}

/** What is recorded in the hash of a site. */
export const membershipIn = (recorded: ReadonlyMap<string, string>): Membership => ({
  version: Number(recorded.get('membership') ?? 1),
  members: recorded.get('members'),
})

/** @throws {ConfigurationError} nodes of this site had other sites or marks, or have a later `membershipVersion` already */
export function assertMembership(config: CheckedConfig, { version, members }: Membership): void {
  const { membershipVersion } = config
  const mine = membersOf(config)
  if (members === undefined || version < membershipVersion) return
  if (version > membershipVersion) {
    throw new ConfigurationError(
      `crossSite.membershipVersion: is ${membershipVersion}, but this site has reached ${version}: use ${version}, or more if sites or marks change`,
    )
  }
  if (members !== mine) {
    throw new ConfigurationError(
      `crossSite.membershipVersion: is ${version}, as it was for the sites ${members}. They are ${mine} now: raise it to ${version + 1} at every site`,
    )
  }
}

/** What is wrong where another site has other sites or marks for the same version; `undefined`: nothing is. */
export function membershipMistake(config: CheckedConfig, to: string, { version, members }: Membership) {
  const mine = membersOf(config)
  if (version !== config.membershipVersion || members === undefined || members === mine) return undefined
  return `crossSite.marks: the site "${to}" has ${members}, and this site has ${mine}: give every site the same sites and marks, and raise membershipVersion when they change`
}
