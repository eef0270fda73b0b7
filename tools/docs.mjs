// npm run docs [-- --reference]: the docs site in site/, with the API reference of every package; or only the reference, in
// reference/. A warning or a dead link fails it. From a fresh clone.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, seconds } from './lib/run.mjs'
import { buildSite, installSite, site } from './lib/site.mjs'

async function step(name, work) {
  const begun = performance.now()
  await work()
  console.log(`-- ${name} took ${seconds(begun)}`)
}

async function writeReference() {
  const { status } = await runProgram(join(root, 'node_modules', '.bin', 'typedoc'), [])
  if (status !== 0) throw new Error('docs: the reference has warnings')
}

async function writeSite() {
  const { isBuilt, output } = await buildSite()
  if (!isBuilt || /\bwarn|\(!\)/i.test(output)) throw new Error(`docs: the site cannot be built\n${output}`)
}

requireNode()
try {
  await installDependencies()
  await step('reference', writeReference)
  if (!process.argv.includes('--reference')) {
    await step('installation of VitePress', installSite)
    await step('site', writeSite)
  }
  const page = [join(site, 'index.html'), join(root, 'reference', 'index.html')].find(existsSync)
  console.log(`docs: open ${page}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
