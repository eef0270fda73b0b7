// npm run test:browser: the page of devices in a real browser. AUTHSTATE_CHROMIUM is its program.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createAuthState } from 'authstate'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { createApp } from '../src/app.js'

const state = await createAuthState()
const server = createApp(state, 'a secret of this test that is long enough').listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const browser = await chromium.launch({
  executablePath: process.env['AUTHSTATE_CHROMIUM'] ?? 'chromium',
  args: ['--no-sandbox'],
})

/** A device: a browser with cookies of its own. */
async function signIn(device: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ userAgent: device })
  const page = await context.newPage()
  await page.goto(origin)
  await page.getByLabel('Name').fill('ada')
  await page.getByLabel('Password').fill('open sesame')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Your devices' }).waitFor()
  return { context, page }
}

const headingOf = async (page: Page): Promise<string | null> => {
  await page.reload()
  return page.getByRole('heading').textContent()
}

try {
  const [laptop, phone, tablet] = [await signIn('Laptop'), await signIn('Phone'), await signIn('Tablet')]
  const { page } = tablet
  assert.deepEqual(await page.locator('td:first-child').allTextContents(), ['Tablet', 'Phone', 'Laptop'])

  await page.getByRole('row', { name: /Phone/ }).getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('row', { name: /Phone/ }).waitFor({ state: 'detached' })
  assert.equal(await headingOf(phone.page), 'Sign in')
  assert.equal(await headingOf(laptop.page), 'Your devices')

  await page.getByRole('button', { name: 'Sign out all other devices' }).click()
  await page.getByRole('row', { name: /Laptop/ }).waitFor({ state: 'detached' })
  assert.equal(await headingOf(laptop.page), 'Sign in')
  assert.deepEqual(await page.locator('td:first-child').allTextContents(), ['Tablet'])
  // A script of the page cannot read the cookie.
  assert.equal(await page.evaluate('document.cookie'), '')

  await page.getByRole('button', { name: 'Sign out here' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.goBack()
  assert.equal(await headingOf(page), 'Sign in')
  console.log('browser: devices are listed, one is signed out, then all others, then this one')
} finally {
  await browser.close()
  server.close()
  await state.close()
}
