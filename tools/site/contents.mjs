// What the site shows, in the order of its side bar. A page that stands in no section is shown under the last one.

/** Sections, each with the pages of the repository that it holds. */
export const SECTIONS = [
  {
    title: 'Begin',
    pages: [
      'README.md',
      'docs/start.md',
      'docs/getting-started.md',
      'docs/questions.md',
      'docs/comparison.md',
      'docs/migration.md',
    ],
  },
  {
    title: 'Jobs',
    pages: [
      'docs/jobs/login.md',
      'docs/jobs/single-sign-on.md',
      'docs/jobs/refresh-rotation.md',
      'docs/brute-force.md',
      'docs/jobs/magic-links.md',
      'docs/jobs/devices.md',
      'docs/jobs/several-sites.md',
      'docs/cross-site.md',
      'docs/jobs/testing.md',
      'docs/realm-cache.md',
      'docs/web-sessions.md',
      'docs/load-balancers.md',
      'docs/cluster.md',
      'docs/changes.md',
      'docs/outgoing-http.md',
      'docs/application-nodes.md',
      'docs/hostname.md',
      'docs/adapters.md',
    ],
  },
  {
    title: 'Operation',
    pages: [
      'docs/configuration.md',
      'docs/sizing.md',
      'docs/load.md',
      'docs/runbook.md',
      'docs/failures.md',
      'docs/doctor.md',
      'docs/command.md',
      'docs/telemetry.md',
      'docs/console.md',
      'docs/audit.md',
      'docs/performance.md',
      'docs/keys.md',
      'docs/acl.md',
      'docs/clock.md',
      'SECURITY.md',
    ],
  },
  {
    title: 'Reference',
    pages: [
      'docs/errors.md',
      'docs/errors/ERR_PROVIDER_CONFIGURATION.md',
      'docs/errors/ERR_PROVIDER_CLOSED.md',
      'docs/errors/ERR_STORE_UNAVAILABLE.md',
      'docs/errors/ERR_STORE_CORRUPT.md',
      'docs/errors/ERR_CONFLICT.md',
      'docs/errors/ERR_LOADER_TIMEOUT.md',
      'docs/errors/ERR_INCOMPLETE.md',
      'docs/errors/ERR_CROSS_SITE.md',
      'docs/errors/ERR_SITE_UNAVAILABLE.md',
      'docs/errors/HttpError.md',
      'docs/events.md',
      'docs/architecture.md',
      'docs/writing-a-provider.md',
      'docs/deviations.md',
      'docs/sources.md',
      'UPGRADING.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
    ],
  },
  {
    title: 'Storage',
    pages: [
      'docs/storage.md',
      'docs/storage/user-session.md',
      'docs/storage/auth-session.md',
      'docs/storage/action-token.md',
      'docs/storage/web-session.md',
      'docs/storage/login-failure.md',
      'docs/storage/realm-cache.md',
      'docs/storage/cluster.md',
      'docs/storage/application-node.md',
      'docs/storage/audit.md',
      'docs/storage/changes.md',
      'docs/storage/cross-site.md',
    ],
  },
]

/** Where pages go that no section names, by the folder they are in. */
export const OTHERS = [
  { title: 'Packages', of: /^packages\// },
  { title: 'Examples', of: /^examples\// },
  { title: 'More', of: /^docs\// },
]

/** Where a page of the repository is on the site, without `.md`; `undefined` where the site does not show it. */
export function sitePathOf(path) {
  if (path === 'README.md') return 'index'
  const [, page] = /^docs\/(.+)\.md$/.exec(path) ?? []
  if (page !== undefined) return page
  const [, kind, name] = /^(packages|examples)\/(?:adapters\/)?([^/]+)\/README\.md$/.exec(path) ?? []
  if (kind !== undefined) return `${kind}/${name}`
  const [, top] = /^([A-Z]+)\.md$/.exec(path) ?? []
  return top?.toLowerCase()
}

/** The sections with all pages of the repository that the site shows. */
export function sectionsOf(paths) {
  const named = new Set(SECTIONS.flatMap(({ pages }) => pages))
  const left = paths.filter((path) => sitePathOf(path) !== undefined && !named.has(path))
  const others = OTHERS.map(({ title, of }) => ({
    title,
    pages: left.filter((path) => of.test(path)).sort(),
  }))
  return [...SECTIONS, ...others].filter(({ pages }) => pages.length > 0)
}
