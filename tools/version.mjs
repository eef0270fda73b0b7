// npm run release:version [-- --first]: gives every package that is published the one version that the files in .changeset come to, closes its
// section of CHANGELOG.md, keeps the API as the released one, and removes the files. `--first` makes 1.0.0 of a version before it.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { nextVersion, readChangesets, releasedChangelog } from './lib/changesets.mjs'
import { installDependencies, requireNode } from './lib/install.mjs'
import { packageFolders } from './lib/packages.mjs'
import { root, runProgram } from './lib/run.mjs'

const { values } = parseArgs({ options: { first: { type: 'boolean', default: false } } })
const folder = join(root, '.changeset')

/** Replaces the version and nothing else, so that a manifest keeps its form. */
function setVersion(file, version) {
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/^( {2}"version": )"[^"]*"/m, `$1"${version}"`))
}

requireNode()
try {
  await installDependencies()
  const files = packageFolders()
    .map((path) => join(root, path, 'package.json'))
    .filter((file) => !JSON.parse(readFileSync(file, 'utf8')).private)
  const versions = new Set(files.map((file) => JSON.parse(readFileSync(file, 'utf8')).version))
  if (versions.size !== 1)
    throw new Error(`packages have the versions ${[...versions].join(', ')}: they must have one`)
  const [version] = versions
  const changesets = readChangesets(folder)
  const next = nextVersion(version, changesets, values)
  if (next === version) console.log(`version: ${version} stays, .changeset has nothing`)
  else {
    const page = join(root, 'CHANGELOG.md')
    const text = releasedChangelog(readFileSync(page, 'utf8'), next, changesets)
    const { status } = await runProgram(join(root, 'node_modules', '.bin', 'typedoc'), ['--logLevel', 'Warn'])
    if (status !== 0) throw new Error('version: the API cannot be read')
    rmSync(join(root, 'api'), { recursive: true, force: true })
    if (existsSync(join(root, 'reference', 'api')))
      cpSync(join(root, 'reference', 'api'), join(root, 'api'), { recursive: true })
    writeFileSync(page, text)
    for (const file of files) setVersion(file, next)
    for (const { file } of changesets) rmSync(join(folder, file))
    console.log(`version: ${version} becomes ${next}, by ${changesets.length} changesets`)
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
