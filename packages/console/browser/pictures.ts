// npm run test:browser -- --pictures: the pictures of docs/console.md, made anew. AUTHSTATE_CHROMIUM is the program.
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { openStage } from './stage.js'

const MOST_BYTES = 80_000
const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'console')
mkdirSync(folder, { recursive: true })
const stage = await openStage()
const browser = await chromium.launch({
  executablePath: process.env['AUTHSTATE_CHROMIUM'] ?? 'chromium',
  args: ['--no-sandbox'],
})

async function picture(
  name: string,
  colorScheme: 'light' | 'dark',
  path: string,
  find?: string,
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: 900, height: 600 },
    colorScheme,
    javaScriptEnabled: false,
  })
  const page = await context.newPage()
  await page.goto(`${stage.origin}/ops/${path}`)
  if (find !== undefined) await page.locator(find).first().click()
  const file = join(folder, `${name}.png`)
  await page.screenshot({ path: file })
  const { size } = statSync(file)
  console.log(`${name}.png ${size} bytes`)
  if (size > MOST_BYTES) throw new Error(`${name}.png has more than ${MOST_BYTES} bytes`)
  await context.close()
}

try {
  await picture('overview', 'light', '')
  await picture('sessions', 'dark', 'sessions?realm=acme')
  await picture('session', 'light', 'sessions?realm=acme', 'main td a[href^="/ops/sessions/"]')
  await picture('redis', 'dark', 'redis')
} finally {
  await browser.close()
  await stage.close()
}
