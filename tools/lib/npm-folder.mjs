// Packages from npm in a folder of their own, outside the workspace: what asks for another Node than the one that runs here.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runProgram } from './run.mjs'

/**
 * Installs packages below node_modules/.cache where they are not there yet.
 *
 * @param {string} name Of the folder.
 * @param {readonly string[]} packages As npm takes them: `node@22`.
 * @returns {Promise<string>} the folder; its node_modules has them
 */
export async function npmFolder(name, packages) {
  const folder = join(root, 'node_modules', '.cache', name)
  const stamp = join(folder, 'installed.txt')
  const wanted = packages.join('\n')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  // A manifest ends npm's search for the project that it is in.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', ...packages]
  const { status, output } = await runProgram('npm', args, { quiet: true, cwd: folder })
  if (status !== 0) throw new Error(`${packages.join(', ')} could not be installed: ${output}`)
  writeFileSync(stamp, wanted)
  return folder
}

/**
 * The program of Node in a folder of packages.
 *
 * @param {string} folder
 * @returns {string}
 */
export const nodeIn = (folder) => join(folder, 'node_modules', 'node', 'bin', 'node')
