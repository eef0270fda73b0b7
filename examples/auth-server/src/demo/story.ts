import assert from 'node:assert/strict'
import { Application, type Login, type Tokens } from './application.js'
import { Browser, type Visit } from './browser.js'
import { fetchFrom } from './fetch-from.js'
import type { Narrator } from './narrator.js'
import type { Node, Nodes } from './nodes.js'
import { CALENDAR, ISSUER, NOTES, PASSWORDS } from './world.js'

/** What a user goes through, over two nodes. Each step asserts what it says. */
export async function tellStory(narrator: Narrator, nodes: Nodes): Promise<void> {
  const { b } = nodes
  let { a } = nodes
  const laptop = new Browser()
  const phone = new Browser()
  const notes = await Application.discover(a, NOTES)
  const calendar = await Application.discover(b, CALENDAR)
  let login: Login
  let back: URL
  let tokens: Tokens
  let calendarTokens: Tokens

  await narrator.step('both nodes are one issuer', async () => {
    const [atA, atB] = await Promise.all([a, b].map((node) => readIssuer(node)))
    assert.deepEqual(atA, atB)
    assert.equal(atA?.issuer, ISSUER)
    return `${ISSUER}, with the same signing key on A and B`
  })

  await narrator.step('alice signs in to Notes, on node A', async () => {
    login = await notes.begin()
    const page = await laptop.open(a, login.url)
    assert.match(page.html, /to go on to Notes/)
    back = backAt(NOTES.redirectUris[0], await signIn(laptop, a, page, 'alice', PASSWORDS.alice))
    return 'a login page, a password, and back to the application with a code'
  })

  await narrator.step('Notes redeems the code on node B', async () => {
    tokens = await notes.redeem(b, back, login)
    const { name } = await notes.userinfo(a, tokens)
    assert.equal(name, 'Alice Archer')
    return 'the ID token verifies, and node A answers userinfo with a token of node B'
  })

  await narrator.step('somebody replays the code on node A', async () => {
    // Whoever stole it does not know the verifier; Notes itself may ask again for a few seconds.
    const { pkceCodeVerifier = '' } = (await notes.begin()).checks
    await refused(
      notes.redeem(a, back, { ...login, checks: { ...login.checks, pkceCodeVerifier } }),
      'invalid_grant',
    )
    await ended(notes, b, tokens)
    await refused(notes.refresh(b, tokens), 'invalid_grant')
    return 'refused, and what had come from the code is revoked: both tokens are refused on B'
  })

  await narrator.step('Notes sends alice again, node B knows her', async () => {
    login = await notes.begin()
    back = backAt(NOTES.redirectUris[0], await laptop.open(b, login.url))
    tokens = await notes.redeem(a, back, login)
    return 'no password asked, new tokens from A'
  })

  await narrator.step('single sign-on: Calendar sends alice to node B', async () => {
    const begun = await calendar.begin()
    const visit = await laptop.open(b, begun.url)
    calendarTokens = await calendar.redeem(a, backAt(CALENDAR.redirectUris[0], visit), begun)
    assert.equal(calendarTokens.claims()?.['sid'], tokens.claims()?.['sid'])
    return 'no password asked, a second application in the same session'
  })

  await narrator.step("five wrong passwords for bob, on A and B in turn, lock bob's account", async () => {
    const browser = new Browser()
    let page = await browser.open(a, (await notes.begin()).url)
    const wrong: Visit[] = []
    for (let n = 0; n < 5; n++) {
      page = await signIn(browser, n % 2 === 0 ? a : b, page, 'bob', `guess ${n}`)
      wrong.push(page)
    }
    const locked = await signIn(browser, b, page, 'bob', PASSWORDS.bob)
    const unknown = await signIn(browser, a, page, 'nobody', 'guess')
    for (const one of [...wrong, locked, unknown]) assert.equal(one.status, 403)
    assert.equal(new Set([...wrong, locked, unknown].map(({ html }) => html)).size, 1)
    return 'the right password is refused now; wrong, locked and unknown look the same to the last byte'
  })

  await narrator.step('Notes refreshes ten times, on A and B in turn', async () => {
    const seen = new Set([tokens.refresh_token])
    for (let n = 0; n < 10; n++) {
      tokens = await notes.refresh(n % 2 === 0 ? a : b, tokens)
      seen.add(tokens.refresh_token)
    }
    assert.equal(seen.size, 11)
    await notes.userinfo(a, tokens)
    return 'ten new refresh tokens, each in place of the one before'
  })

  await narrator.step('somebody replays an old refresh token on node A', async () => {
    const old = tokens
    // The one before the newest Notes itself may present again for a few seconds; an older one nobody may.
    tokens = await notes.refresh(a, await notes.refresh(b, old))
    await refused(notes.refresh(a, old), 'invalid_grant')
    await refused(notes.refresh(b, tokens), 'invalid_grant')
    await ended(notes, b, tokens)
    await calendar.userinfo(a, calendarTokens)
    return "refused, and the session of Notes has ended: its newest tokens are refused on B. Calendar's go on"
  })

  await narrator.step('alice signs in on her phone too, and looks at her sessions', async () => {
    const begun = await notes.begin()
    const page = await signIn(phone, a, await phone.open(a, begun.url), 'alice', PASSWORDS.alice)
    tokens = await notes.redeem(b, backAt(NOTES.redirectUris[0], page), begun)
    const account = await laptop.open(b, '/account')
    assert.equal(rowsOf(account), 2)
    const after = await laptop.submit(b, account, '/account/end-others')
    assert.equal(rowsOf(after), 1)
    await ended(notes, a, tokens)
    assert.equal((await phone.open(a, '/account')).status, 401)
    return 'two are listed; the laptop ends the others on B, and A refuses the tokens of the phone'
  })

  const { processes } = nodes
  if (processes) {
    await narrator.step('node A is killed while alice signs in on her phone', async () => {
      const begun = await notes.begin()
      const page = await phone.open(a, begun.url)
      await processes.killA()
      await assert.rejects(fetchFrom(a, `${ISSUER}/jwks`))
      const visit = await signIn(phone, b, page, 'alice', PASSWORDS.alice)
      tokens = await notes.redeem(b, backAt(NOTES.redirectUris[0], visit), begun)
      return 'SIGKILL between the page and the password: node B takes the password and goes on'
    })

    await narrator.step('node B goes on with what was made on A', async () => {
      await calendar.userinfo(b, calendarTokens)
      calendarTokens = await calendar.refresh(b, calendarTokens)
      assert.equal(rowsOf(await laptop.open(b, '/account')), 2)
      return 'userinfo, a refresh and the list of sessions, all on B'
    })

    await narrator.step('node A starts again', async () => {
      a = await processes.startA()
      calendarTokens = await calendar.refresh(a, calendarTokens)
      await calendar.userinfo(b, calendarTokens)
      return 'with an empty memory, and answers for the sessions that lived on'
    })
  }

  await narrator.step('alice signs out of Calendar on node B', async () => {
    const visit = await laptop.open(b, calendar.signOutUrl(calendarTokens))
    assert.equal(visit.url.href, CALENDAR.postLogoutRedirectUris?.[0])
    await ended(calendar, a, calendarTokens)
    await refused(calendar.refresh(a, calendarTokens), 'invalid_grant')
    const next = await laptop.open(a, (await calendar.begin()).url)
    assert.match(next.html, /name="password"/)
    return 'node A refuses the tokens at once, and asks for the password again'
  })
}

async function readIssuer(node: Node): Promise<{ issuer: unknown; keys: unknown }> {
  const read = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetchFrom(node, ISSUER + path)).json()) as Record<string, unknown>
  return {
    issuer: (await read('/.well-known/openid-configuration'))['issuer'],
    keys: (await read('/jwks'))['keys'],
  }
}

const signIn = (
  browser: Browser,
  node: Node,
  page: Visit,
  username: string,
  password: string,
): Promise<Visit> => browser.submit(node, page, '/login', { username, password })

/** The address with which the browser came back to the application. */
function backAt(redirectUri: string | undefined, { url, status }: Visit): URL {
  assert.equal(
    url.origin + url.pathname,
    redirectUri,
    `the browser stayed at ${url.pathname} with status ${status}`,
  )
  return url
}

const rowsOf = ({ html }: Visit): number => html.split('<tr><td>').length - 1

/** The issuer refuses with this OAuth error. */
const refused = (request: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(request, (error: { error?: unknown }) => error.error === code)

/** The access token is refused: its session has ended. */
const ended = (application: Application, node: Node, tokens: Tokens): Promise<void> =>
  assert.rejects(application.userinfo(node, tokens), (error: { status?: unknown }) => error.status === 401)
