// Finds Prometheus' checker of rules on this machine, or unpacks Debian's into a folder of its own. Needs nothing but Node.
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, runProgram } from '../lib/run.mjs'
import { findProgram, isProgram } from './debian.mjs'

export class NoPromtool extends Error {}

/** The absolute path of promtool. Throws NoPromtool, which says why there is none. */
export async function findPromtool() {
  const found = findProgram(['promtool'])
  if (found !== undefined) return found
  const folder = join(root, 'node_modules', '.cache', 'promtool')
  const promtool = join(folder, 'root', 'usr', 'bin', 'promtool')
  if (!isProgram(promtool)) await unpack(folder)
  return promtool
}

/** Neither step needs rights. */
async function unpack(folder) {
  const why = "there is no promtool on the PATH, and Debian's could not be unpacked"
  if (findProgram(['apt-get']) === undefined) throw new NoPromtool(`${why}: there is no apt-get`)
  const run = async (command, args) => {
    const { status, output } = await runProgram(command, args, { cwd: folder, quiet: true })
    if (status !== 0) throw new NoPromtool(`${why}: ${command}: ${output.trim().split('\n').at(-1)}`)
  }
  mkdirSync(folder, { recursive: true })
  await run('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', 'prometheus'])
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb')))
    await run('dpkg-deb', ['-x', file, 'root'])
}
