import type { CacheRegion } from 'authstate'
import type { Context } from 'hono'
import { html } from 'hono/html'
import type { Happening } from './activity.js'
import { showPage } from './pages.js'
import type { Told } from './telling.js'

export interface SessionRow {
  readonly current: boolean
  readonly startedAt: number
  readonly lastRefreshAt: number
  readonly ipAddress: string | undefined
  readonly clients: readonly string[]
}

export interface SessionsPage {
  readonly userName: string
  readonly rows: readonly SessionRow[]
  /** Where the next rows begin, if there are more. */
  readonly cursor: string | undefined
  readonly activity: readonly Happening[]
  readonly csrf: string
}

export function showSessions(c: Context, page: SessionsPage): Promise<Response> {
  const { userName, cursor, csrf } = page
  const rows = page.rows.map(
    (row) =>
      html`<tr><td>${time(row.startedAt)}</td><td>${time(row.lastRefreshAt)}</td><td>${row.ipAddress ?? ''}</td><td>${row.clients.join(', ')}</td><td>${row.current ? 'this one' : ''}</td></tr>`,
  )
  const next =
    cursor === undefined ? '' : html`<p><a href="/account?${new URLSearchParams({ cursor })}">Next</a></p>`
  const activity = page.activity.map(({ at, what }) => html`<li>${time(at)}: a session ${what}</li>`)
  return showPage(c, {
    title: 'My sessions',
    body: html`<p>Signed in as ${userName}.</p><table><tr><th>Since</th><th>Last used</th><th>From</th><th>Applications</th><th></th></tr>${rows}</table>${next}
<form method="post" action="/account/end-others"><input type="hidden" name="csrf" value="${csrf}"><button>End the others</button></form>
<form method="post" action="/logout"><input type="hidden" name="csrf" value="${csrf}"><button>Sign out</button></form>
<h2>Lately, on this node</h2><ul>${activity}</ul>`,
  })
}

export type RegionRow = Pick<
  ReturnType<CacheRegion['stats']>,
  'size' | 'hits' | 'misses' | 'loads' | 'invalidations' | 'outages' | 'oldestMs'
> & { readonly name: string }

export function showRegions(c: Context, regions: readonly RegionRow[], csrf: string): Promise<Response> {
  const rows = regions.map(
    ({ name, size, hits, misses, loads, invalidations, outages, oldestMs }) =>
      html`<tr><td>${name}</td><td>${size}</td><td>${hits}</td><td>${misses}</td><td>${loads}</td><td>${invalidations}</td><td>${outages}</td><td>${Math.round(oldestMs / 1000)} s</td><td><form method="post" action="/admin/clear"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="region" value="${name}"><button>Clear</button></form></td></tr>`,
  )
  return showPage(c, {
    title: 'Caches of this node',
    body: html`<table><tr><th>Region</th><th>Values</th><th>Hits</th><th>Misses</th><th>Loads</th><th>Invalidations</th><th>Outages</th><th>Oldest</th><th></th></tr>${rows}</table>
<form method="post" action="/admin/clear"><input type="hidden" name="csrf" value="${csrf}"><button>Clear all, on every node</button></form>
<form method="post" action="/admin/sign-everybody-out"><input type="hidden" name="csrf" value="${csrf}"><button>Sign everybody out</button></form>
<form method="post" action="/admin/refuse-older-tokens"><input type="hidden" name="csrf" value="${csrf}"><button>Applications refuse older tokens</button></form>`,
  })
}

/** What became of what applications were told. */
export function showTold(c: Context, { what, lines }: Told): Promise<Response> {
  const rows = lines.map((line) => html`<li>${line}</li>`)
  return showPage(c, {
    title: what,
    body: html`<p>Done here. Of the applications:</p><ul>${rows}</ul><p>What is retrying is sent again.</p>`,
  })
}

const time = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
