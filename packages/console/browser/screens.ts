// npm run test:browser: every screen of the console in Chromium: dark and light, wide and at 360 px, with a script and without one. Nothing that
// axe calls serious, no report of the content security policy, no error of a console, no name that does harm, no page wider than its
// window. AUTHSTATE_CHROMIUM is the program.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { HOSTILE, openStage } from './stage.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PAGES = ['', 'sessions', 'clients', 'failures', 'cache', 'cluster', 'sites', 'redis', 'config', 'audit']
const MODES = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 360].map((width) => ({ colorScheme, viewport: { width, height: 800 } })),
)

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

let checks = 0
const stage = await openStage(HOSTILE)
const browser = await chromium.launch({
  executablePath: process.env['AUTHSTATE_CHROMIUM'] ?? 'chromium',
  args: ['--no-sandbox'],
})

/** A page that fails its program when it says anything to its console, or loads what it must not. */
async function open(context: BrowserContext): Promise<{ page: Page; faults: string[] }> {
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(stage.origin) && !request.url().startsWith('data:'))
      faults.push(request.url())
  })
  page.on('dialog', (dialog) => faults.push(dialog.message()))
  return { page, faults }
}

/** Addresses of one page of each kind: the screens, a session and a user of each hostile name. */
async function addresses(of: Browser): Promise<string[]> {
  const context = await of.newContext()
  const { page } = await open(context)
  const found = PAGES.map((path) => `/ops/${path}`)
  await page.goto(`${stage.origin}/ops/sessions?kind=web`)
  found.push(...(await hrefs(page, '/ops/users/')))
  await page.goto(`${stage.origin}/ops/sessions`)
  found.push(
    ...(await hrefs(page, '/ops/sessions/acme/')).slice(0, 1),
    '/ops/no-such-page',
    '/ops/sessions?realm=shop',
  )
  await context.close()
  return found
}

const hrefs = (page: Page, start: string) =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll('main a')].map((a) => a.getAttribute('href')).filter((href) => href.startsWith('${start}'))`,
  )

async function seriousOf(page: Page): Promise<string[]> {
  // As a test tool: the policy of the page lets no script in.
  await page.evaluate(axe)
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    'axe.run(document, { resultTypes: ["violations"] })',
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`)
}

async function checkPage(page: Page, faults: string[], path: string, mode: string): Promise<void> {
  faults.length = 0
  const response = await page.goto(stage.origin + path)
  const status = response?.status() ?? 0
  assert.equal(status, path.endsWith('no-such-page') ? 404 : 200, `${path} ${mode}`)
  assert.deepEqual(await seriousOf(page), [], `${path} ${mode}: axe`)
  const [wide, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, innerWidth]',
  )
  assert.ok(wide <= window, `${path} ${mode}: ${wide} px wide in a window of ${window}`)
  assert.match(await page.title(), / – authstate$/)
  // Chromium tells its console of an answer that is 404.
  assert.deepEqual(
    faults.filter((fault) => status === 200 || !/404/.test(fault)),
    [],
    `${path} ${mode}: console`,
  )
  checks += 1
}

try {
  const paths = await addresses(browser)
  assert.equal(paths.length, PAGES.length + HOSTILE.length + 3)
  for (const mode of MODES) {
    const context = await browser.newContext(mode)
    const { page, faults } = await open(context)
    for (const path of paths)
      await checkPage(page, faults, path, `${mode.colorScheme} ${mode.viewport.width} px`)
    await context.close()
  }

  const plain = await browser.newContext({ javaScriptEnabled: false })
  const without = await open(plain)
  for (const path of paths) {
    await without.page.goto(stage.origin + path)
    assert.ok((await without.page.locator('h1').count()) === 1)
    checks += 1
  }
  await without.page.goto(`${stage.origin}/ops/sessions?realm=acme`)
  await without.page.locator('input[name=refs]').first().check()
  await without.page.getByRole('button', { name: 'End the chosen sessions' }).click()
  await without.page.getByRole('status').getByText('1 session ended.').waitFor()
  await without.page.getByLabel('User id').fill('grace')
  await without.page.getByRole('button', { name: 'Find' }).click()
  await without.page.getByRole('heading', { name: /^User/, level: 1 }).waitFor()
  assert.ok(!without.page.url().includes('grace'))
  await without.page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await without.page.getByText('This user has no living session.').waitFor()
  checks += 2
  await plain.close()

  const context = await browser.newContext()
  const { page, faults } = await open(context)
  await page.goto(`${stage.origin}/ops/sessions?realm=acme`)
  await page.getByLabel('Choose all').check()
  const ticks = page.locator('input[name=refs]')
  assert.equal(await page.locator('input[name=refs]:checked').count(), await ticks.count())
  checks += 1

  // Redis goes away under an open page: what was known stays, with its age, and nothing can be done.
  await page.goto(`${stage.origin}/ops/failures?realm=acme`)
  const button = page.getByRole('button', { name: /^Clear/ }).first()
  assert.ok(await button.isEnabled())
  stage.setAway(true)
  stage.clock.advance(9_000)
  await page.getByText(/did not answer within 2000 ms/).waitFor()
  assert.ok(await button.isDisabled())
  assert.ok((await page.locator('tbody tr').count()) > 0)
  stage.setAway(false)
  stage.clock.advance(9_000)
  await page.getByText(/did not answer within 2000 ms/).waitFor({ state: 'hidden' })
  await page
    .getByRole('button', { name: /^Clear/ })
    .first()
    .waitFor()
  assert.ok(
    await page
      .getByRole('button', { name: /^Clear/ })
      .first()
      .isEnabled(),
  )
  checks += 2

  // The overview follows what happens, without being loaded again.
  await page.goto(`${stage.origin}/ops/`)
  const online = page.locator('dl div', { hasText: 'Online sessions' }).locator('dd').first()
  const before = await online.textContent()
  await stage.state.realm('acme').userSessions.create({ userId: 'new', loginUsername: 'new' })
  for (let n = 0; n < 40 && (await online.textContent()) === before; n++) {
    stage.clock.advance(3_000)
    await page.waitForTimeout(500)
  }
  assert.notEqual(await online.textContent(), before)
  assert.deepEqual(faults, [])
  checks += 1
  console.log(
    `browser: ${checks} checks of the console's pages, dark and light, wide and narrow, with and without a script`,
  )
} finally {
  await browser.close()
  await stage.close()
}
