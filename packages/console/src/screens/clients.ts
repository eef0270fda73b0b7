import { figure } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'

interface ClientCount {
  readonly clientId: string
  readonly reference: string
  readonly online: number
  readonly offline: number
}

interface Clients {
  readonly items: readonly ClientCount[]
  readonly leftOut: number
}

const MOST = 200

/** How many sessions live at each client. */
export const clients: Screen<Clients> = {
  path: 'clients',
  api: 'clients',
  title: 'Clients',
  scope: 'realm',
  liveSeconds: 20,
  load,
  view,
}

async function load({ realmId }: Asked, { operations, seals }: Sources): Promise<Clients> {
  const counts = await operations.sessions.countByClient(realmId)
  return {
    items: counts
      .slice(0, MOST)
      .map((count) => ({ ...count, reference: seals.seal('client', count.clientId, realmId) })),
    leftOut: Math.max(0, counts.length - MOST),
  }
}

function view({ items, leftOut }: Clients, page: Page): Html {
  const { realmId } = page
  return html`${table(
    'Clients',
    items,
    [
      {
        title: 'Client',
        of: ({ clientId }) => page.link('sessions', { realm: realmId, client: clientId }, named(clientId)),
      },
      { title: 'Online', of: ({ online }) => figure(online), isNumber: true },
      { title: 'Offline', of: ({ offline }) => figure(offline), isNumber: true },
    ],
    'No session lives at any client.',
  )}
${leftOut > 0 && html`<p>${figure(leftOut)} more with fewer sessions.</p>`}
${
  items.length > 0 &&
  page.form(
    'endSessions',
    'clients/end',
    html`<h2>End all at a client</h2><p>Online and offline. The users stay signed in elsewhere.</p>
<label>Client <select name="client">${items.map(({ clientId, reference }) => html`<option value="${reference}">${plain(clientId)}</option>`)}</select></label>
<label>Its id, typed once more <input name="typed" required maxlength="512" autocomplete="off" spellcheck="false"></label>${page.button('End all at this client')}`,
  )
}`
}
