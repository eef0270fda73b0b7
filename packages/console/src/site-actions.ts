import { type Action, assertTyped, one } from './action.js'
import type { Fields } from './body.js'
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

const offline: Action = {
  path: 'sites/offline',
  name: 'sites.offline',
  right: 'manageSites',
  isOfRealm: false,
  async plan({ fields }, sources) {
    const site = await linkedSite(fields, sources)
    assertTyped(fields, site, 'the name of the site')
    return {
      subject: { site },
      run: async () => {
        await sources.operations.sites.takeOffline(site)
        return { count: 1, text: `Nodes tell ${site} nothing more within a heartbeat.`, data: { site } }
      },
    }
  },
}

const online: Action = {
  path: 'sites/online',
  name: 'sites.online',
  right: 'manageSites',
  isOfRealm: false,
  async plan({ fields }, sources) {
    const site = await linkedSite(fields, sources)
    return {
      subject: { site },
      run: async () => {
        await sources.operations.sites.bringOnline(site)
        return {
          count: 1,
          text: `Nodes tell ${site} what it missed, and what changes from now on.`,
          data: { site },
        }
      },
    }
  },
}

const push: Action = {
  path: 'sites/push',
  name: 'sites.push',
  right: 'manageSites',
  isOfRealm: false,
  async plan({ fields }, sources) {
    const site = await linkedSite(fields, sources)
    return {
      subject: { site },
      run: async () => {
        const { id } = await sources.operations.sites.push(site)
        return { count: 1, text: `Nodes push everything to ${site}.`, data: { site, push: id } }
      },
    }
  },
}

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
