// npm run release [-- --dry-run]: publishes every package that is not private, at one version, in the order in which they depend
// on each other. Needs a build that `npm run check` has judged. With --dry-run nothing is sent and nothing is signed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { readChangesets } from './lib/changesets.mjs'
import { packageFolders } from './lib/packages.mjs'
import { releaseFaults } from './lib/release-faults.mjs'
import { root, runProgram } from './lib/run.mjs'

const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } })
const isDry = values['dry-run']

/** Packages in the order in which they can be published: nothing before what it needs. */
function inOrder(packages) {
  const left = new Map(packages.map((p) => [p.manifest.name, p]))
  const needs = ({ manifest }) =>
    Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter((name) => left.has(name))
  const order = []
  while (left.size > 0) {
    const ready = [...left.values()].filter((p) => needs(p).length === 0)
    if (ready.length === 0) throw new Error(`packages need each other: ${[...left.keys()].join(', ')}`)
    for (const p of ready) left.delete(p.manifest.name)
    order.push(...ready)
  }
  return order
}

/** What the repository says, for {@link releaseFaults}. */
async function releaseOf(packages) {
  const read = (path) => readFileSync(join(root, path), 'utf8')
  const { output } = await runProgram('git', ['status', '--porcelain'], { cwd: root, quiet: true })
  return {
    packages,
    changelog: read('CHANGELOG.md'),
    address: read('packages/spi/src/docs-address.ts'),
    changesets: readChangesets(join(root, '.changeset')).map(({ file }) => file),
    changed: output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(3)),
  }
}

/** Whether the registry has this version: a release that was broken off goes on behind what it has published. */
async function isPublished({ name, version }) {
  const { status, output } = await runProgram('npm', ['view', `${name}@${version}`, 'version'], {
    quiet: true,
  })
  return status === 0 && output.trim() === version
}

async function runOrThrow(command, args, cwd) {
  const { status } = await runProgram(command, args, { cwd })
  if (status !== 0) throw new Error(`${basename(command)} ${args.join(' ')} ended with ${status}`)
}

const out = mkdtempSync(join(tmpdir(), 'authstate-release-'))
try {
  const packages = packageFolders()
    .map((folder) => join(root, folder))
    .map((dir) => ({ dir, manifest: JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private)
  const faults = releaseFaults(await releaseOf(packages), isDry)
  if (faults.length > 0) throw new Error(faults.join('\n'))
  const pnpm = join(root, 'node_modules', '.bin', 'pnpm')
  for (const { dir, manifest } of inOrder(packages)) {
    if (!isDry && (await isPublished(manifest))) continue
    await runOrThrow(pnpm, ['pack', '--pack-destination', out], dir)
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    const signing = isDry ? ['--dry-run', '--provenance=false'] : ['--provenance']
    await runOrThrow(
      'npm',
      ['publish', join(out, file), '--access', 'public', '--ignore-scripts', ...signing],
      out,
    )
  }
  console.log(`release: ${packages.length} packages ${isDry ? 'would be published' : 'published'}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(out, { recursive: true, force: true })
}
