// Packages from npm in a folder of their own, outside the workspace: what asks for another Node than the one that runs here.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root, runProgram } from './run.mjs'

const STAMP = 'installed.txt'

const holds = (folder, packages) =>
  existsSync(join(folder, STAMP)) && readFileSync(join(folder, STAMP), 'utf8') === packages.join('\n')

/**
 * Installs packages below node_modules/.cache where they are not there yet. Several may ask for the same at once.
 *
 * @param {string} name Of the folder.
 * @param {readonly string[]} packages As npm takes them: `node@22`.
 * @returns {Promise<string>} the folder; its node_modules has them
 */
export async function npmFolder(name, packages) {
  const folder = join(root, 'node_modules', '.cache', name)
  if (holds(folder, packages)) return folder
  mkdirSync(dirname(folder), { recursive: true })
  const part = mkdtempSync(`${folder}-`)
  try {
    // A manifest ends npm's search for the project that it is in.
    writeFileSync(join(part, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    const args = ['install', '--prefix', part, '--no-save', '--no-audit', '--no-fund', ...packages]
    const { status, output } = await runProgram('npm', args, { quiet: true, cwd: part })
    if (status !== 0) throw new Error(`${packages.join(', ')} could not be installed: ${output}`)
    writeFileSync(join(part, STAMP), packages.join('\n'))
    if (!holds(folder, packages)) {
      rmSync(folder, { recursive: true, force: true })
      renameSync(part, folder)
    }
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
  return folder
}

/**
 * The program of a version of Node, which is installed where it is missing.
 *
 * @param {string} version `'22'`.
 * @returns {Promise<string>}
 */
export async function nodeOf(version) {
  const folder = await npmFolder(`node-versions/${version}`, [`node@${version}`])
  return join(folder, 'node_modules', 'node', 'bin', 'node')
}
