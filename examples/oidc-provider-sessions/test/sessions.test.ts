// The example as a reader starts it, under the Node that it asks for.
import { expect, test } from 'vitest'
import { nodeOf } from '../../../tools/lib/npm-folder.mjs'
import { sourceFlags } from '../../../tools/lib/source.mjs'
import { Browser } from '../../../tools/testing/browser.js'
import { type Capability, describeWith } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'

const MAIN = new URL('../src/main.ts', import.meta.url).pathname
const node = await nodeOf('22').catch((error: Error) => error)
const node22: Capability = {
  name: 'Node 22',
  available: typeof node === 'string',
  reason: typeof node === 'string' ? '' : `needs node@22 from npm: ${node.message.slice(0, 200)}`,
}
const env: NodeJS.ProcessEnv = { ...process.env, PORT: '0' }
delete env['REDIS_URL']

/** Follows the link, signs in and allows the shop what it asks for. @returns the page that it ends on */
async function signIn(browser: Browser, name: string): Promise<string> {
  const [, link = ''] = /<a href="([^"]+)">Sign in/.exec((await browser.go('/')).text) ?? []
  const ask = await browser.go(link.replaceAll('&amp;', '&'), (path) => !path.startsWith('/interaction/'))
  const { text } = await browser.go(ask.location)
  expect(text).toContain('Sign in')
  const consent = await browser.send(ask.location, { name })
  expect(consent.text).toContain('Allow')
  return (await browser.send(consent.path, {})).text
}

describeWith(node22, 'oidc-provider', () => {
  test('a user sees their sessions, ends one, and ends the others', async () => {
    const child = startChild(MAIN, [], { node: node as string, flags: sourceFlags, env })
    const origin = (await child.said(/^http/)).replace(/\/$/, '')
    const [one, two, three] = [1, 2, 3].map(() => new Browser(origin)) as [Browser, Browser, Browser]
    for (const [n, browser] of [one, two, three].entries())
      expect(await signIn(browser, '<ada>')).toContain(`Signed in as &lt;ada&gt;, in ${n + 1} sessions.`)
    const [, uid = ''] =
      /action="\/sessions\/end"><input type="hidden" name="id" value="([^"]+)"/.exec(
        (await one.go('/')).text,
      ) ?? []
    const stranger = new Browser(origin)
    await stranger.send('/sessions/end', { id: uid })
    await signIn(stranger, 'eve')
    await stranger.send('/sessions/end', { id: uid })
    expect((await one.go('/')).text, 'of somebody else').toContain('in 3 sessions')
    expect((await one.send('/sessions/end', { id: uid })).text).toContain('in 2 sessions')
    expect((await one.send('/sessions/end-others', {})).text).toContain('in 1 sessions')
    const others = await Promise.all([two, three].map(async (browser) => (await browser.go('/')).text))
    for (const page of others) expect(page).toContain('Sign in to the shop')
    const [, grantId = ''] =
      /action="\/grants\/revoke"><input type="hidden" name="id" value="([^"]+)"/.exec(
        (await one.go('/')).text,
      ) ?? []
    expect((await one.send('/grants/revoke', { id: grantId })).text).not.toContain(grantId)
    expect((await stranger.go('/')).text).toContain('Signed in as eve')
  })
})

test('an older Node is told what is needed', async () => {
  const old = [
    '--import',
    'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.19.0"})',
  ]
  const { code, stderr } = await startChild(MAIN, [], { flags: [...old, ...sourceFlags], env }).ended
  expect(stderr).toBe('This example needs Node 22, which oidc-provider asks for. This is Node 20.19.0.\n')
  expect(code).toBe(1)
})
