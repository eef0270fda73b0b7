import type { UserSession } from 'authstate/user-session'
import type { Narrator } from './narrator.js'
import { inStep, REALM, type Site, until } from './site.js'
import type { Way } from './way.js'

/** Two sites, and the ways between them. */
export interface TwoSites {
  readonly lisbon: Site
  readonly oslo: Site
  readonly ways: readonly Way[]
}

const sessionsOf = ({ state }: Site) => state.realm(REALM).userSessions

async function signIn(site: Site, userId: string): Promise<string> {
  const made = await sessionsOf(site).create({ userId, loginUsername: userId, client: { clientId: 'notes' } })
  if (made.outcome !== 'created') throw new Error(made.outcome)
  return made.session.id
}

async function found(site: Site, id: string): Promise<UserSession> {
  const session = await sessionsOf(site).get(id)
  if (session === undefined) throw new Error(`${site.name} does not know the session`)
  return session
}

async function isGone(site: Site, id: string): Promise<void> {
  if ((await sessionsOf(site).get(id)) !== undefined) throw new Error(`${site.name} still knows the session`)
}

async function linkOf({ name, sites }: Site): Promise<string> {
  const [link] = await sites.links()
  if (link === undefined) throw new Error(`${name} has no link`)
  return `${name} → ${link.to}: ${link.state}, ${link.behind} records to tell`
}

/** What two sites go through: in step, cut apart, together again, and after a loss of data. */
export async function tellOfSites(narrator: Narrator, { lisbon, oslo, ways }: TwoSites): Promise<void> {
  const both = [lisbon, oslo] as const
  let alice = ''
  let bob = ''
  let carol = ''

  await narrator.step('Alice and Carol sign in at Lisbon; Oslo knows them', async () => {
    await inStep(...both)
    alice = await signIn(lisbon, 'alice')
    carol = await signIn(lisbon, 'carol')
    await inStep(lisbon)
    await found(oslo, alice)
    return `Oslo has ${await sessionsOf(oslo).count()} sessions, with the same times and clients.`
  })

  await narrator.step('Alice is served by Oslo, and refreshes there', async () => {
    const refreshed = await sessionsOf(oslo).refresh(alice, { clientId: 'notes' })
    await inStep(oslo)
    const atLisbon = await found(lisbon, alice)
    if (atLisbon.lastRefreshAt !== refreshed?.lastRefreshAt) throw new Error('the times differ')
    return 'Lisbon holds the same time of the last use.'
  })

  await narrator.step('The line between the cities is cut', async () => {
    for (const way of ways) way.cut()
    await until('both notice', async () =>
      (await Promise.all(both.map(({ sites }) => sites.links())))
        .flat()
        .every(({ state }) => state !== 'online'),
    )
    return `${await linkOf(lisbon)}. ${await linkOf(oslo)}.`
  })

  await narrator.step('Both serve on by themselves', async () => {
    bob = await signIn(oslo, 'bob')
    await sessionsOf(lisbon).update(carol, { notes: { ofLisbon: 'written apart' } })
    await sessionsOf(oslo).update(carol, { notes: { ofOslo: 'written apart' } })
    await isGone(lisbon, bob)
    return 'Bob signs in at Oslo, of which Lisbon knows nothing; both write notes to the session of Carol.'
  })

  await narrator.step('Alice signs out at Lisbon, and Oslo serves her on', async () => {
    await sessionsOf(lisbon).remove(alice)
    if ((await sessionsOf(oslo).refresh(alice)) === undefined) throw new Error('Oslo heard of it')
    for (const { sites } of both) await sites.caughtUp()
    return `${await linkOf(lisbon)}. ${await linkOf(oslo)}.`
  })

  await narrator.step('The line is back, and each tells the other what it missed', async () => {
    for (const way of ways) way.heal()
    await inStep(...both, ...both)
    for (const site of both) await isGone(site, alice)
    await found(lisbon, bob)
    const notes = await Promise.all(
      both.map(async (site) => Object.keys((await found(site, carol)).notes).sort()),
    )
    if (notes.some((names) => names.join() !== 'ofLisbon,ofOslo')) throw new Error('a note was lost')
    return 'Alice is signed out at both, Bob signed in at both, and both notes of Carol are there.'
  })

  await narrator.step('The Redis of Oslo loses its records; a comparison finds it', async () => {
    await oslo.loseRecords()
    const { isEqual, differences } = await lisbon.sites.verify('oslo')
    if (isEqual) throw new Error('nobody noticed')
    const [here, there] = differences.reduce(([a, b], of) => [a + of.here, b + of.there], [0, 0])
    return `Of the partitions that differ Lisbon holds ${here} sessions, Oslo ${there}.`
  })

  await narrator.step('Lisbon pushes everything', async () => {
    const { id } = await lisbon.sites.push('oslo')
    const pushed = async () => (await lisbon.sites.pushes()).find((push) => push.id === id)
    await until('it is done', async () => (await pushed())?.status === 'done')
    const push = await pushed()
    await isGone(oslo, alice)
    return `${push?.partitions.done} partitions, ${push?.sent} records told. What was removed stays removed.`
  })

  await narrator.step('Both hold the same', async () => {
    const { isEqual } = await lisbon.sites.verify('oslo')
    if (!isEqual) throw new Error('they differ')
    return `${await linkOf(lisbon)}. ${await linkOf(oslo)}.`
  })
}
