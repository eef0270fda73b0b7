import { type Action, assertTyped, one } from './action.js'
import type { Fields } from './body.js'
import type { ActionName } from './console-action.js'
import { BadRequest, type Sources } from './screen.js'

const CONTROLS = ['pause', 'resume', 'cancel'] as const

/** What came of each, in words. */
const CONTROLLED = { pause: 'is paused', resume: 'goes on', cancel: 'is cancelled' } as const

/** The site that a form names. @throws {BadRequest} no link leads there */
async function linkedSite(fields: Fields, { operations }: Sources): Promise<string> {
  const site = one(fields, 'site')
  const { links } = await operations.sites.list()
  if (site === undefined || !links.some(({ to }) => to === site))
    throw new BadRequest('Nothing was done: no link leads to a site of that name.')
  return site
}

/** What is done about the links to one site. */
const aboutSite = (
  path: string,
  name: ActionName,
  act: (sites: Sources['operations']['sites'], site: string) => Promise<{ text: string; push?: string }>,
  check: (fields: Fields, site: string) => void = () => {},
): Action => ({
  path,
  name,
  right: 'manageSites',
  isOfRealm: false,
  async plan({ fields }, sources) {
    const site = await linkedSite(fields, sources)
    check(fields, site)
    return {
      subject: { site },
      run: async () => {
        const { text, ...more } = await act(sources.operations.sites, site)
        return { count: 1, text, data: { site, ...more } }
      },
    }
  },
})

const offline = aboutSite(
  'sites/offline',
  'sites.offline',
  async (sites, site) => {
    await sites.takeOffline(site)
    return { text: `Nodes send ${site} nothing more within a heartbeat.` }
  },
  (fields, site) => assertTyped(fields, site, 'the name of the site'),
)

const online = aboutSite('sites/online', 'sites.online', async (sites, site) => {
  await sites.bringOnline(site)
  return { text: `Nodes send ${site} what it missed, and what changes from now on.` }
})

const push = aboutSite('sites/push', 'sites.push', async (sites, site) => {
  const { id } = await sites.push(site)
  return { text: `Nodes push everything to ${site}.`, push: id }
})

const control: Action = {
  path: 'sites/pushes/control',
  name: 'sites.push-control',
  right: 'manageSites',
  isOfRealm: false,
  async plan({ fields }, { operations }) {
    const id = one(fields, 'push')
    const what = CONTROLS.find((known) => known === one(fields, 'do'))
    if (what === undefined) throw new BadRequest(`Nothing was done: a push takes ${CONTROLS.join(', ')}.`)
    const known = (await operations.sites.pushes()).find((push) => push.id === id)
    if (known === undefined) throw new BadRequest('Nothing was done: the push is not known.')
    return {
      subject: { site: known.to },
      run: async () => {
        const after = await operations.sites.controlPush(known.id, what)
        return {
          count: Number(after !== undefined),
          text:
            after === undefined
              ? 'The push had been forgotten.'
              : `The push to ${known.to} ${CONTROLLED[what]}.`,
          data: { push: known.id, status: after?.status },
        }
      },
    }
  },
}

/** What can be done about links to other sites. */
export const SITE_ACTIONS: readonly Action[] = [offline, online, push, control]
