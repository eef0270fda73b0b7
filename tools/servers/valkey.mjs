// Finds a Valkey server on this machine, or unpacks Debian's into a folder of its own. Needs nothing but Node.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runProgram } from '../lib/run.mjs'
import { findProgram, isProgram } from './debian.mjs'

/** What `npm run test:valkey` ends with where there is no Valkey, so that `npm run test:all` can tell it from a failure. */
export const NOT_TO_BE_HAD = 3

export class NoValkey extends Error {}

const PACKAGES = ['valkey-server', 'valkey-tools']
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The absolute path of a server. Throws NoValkey, which says why there is none. */
export async function findValkey() {
  const found = findProgram(['valkey-server'])
  if (found !== undefined) return found
  const folder = join(root, 'node_modules', '.cache', 'valkey')
  const server = join(folder, 'root', 'usr', 'bin', 'valkey-server')
  if (!isProgram(server)) await unpack(folder)
  return server
}

async function unpack(folder) {
  const why = "there is no valkey-server on the PATH, and Debian's could not be unpacked"
  if (findProgram(['apt-get']) === undefined) throw new NoValkey(`${why}: there is no apt-get`)
  const run = async (command, args) => {
    const { status, output } = await runProgram(command, args, { cwd: folder, quiet: true })
    if (status !== 0) throw new NoValkey(`${why}: ${command}: ${output.trim().split('\n').at(-1)}`)
    return output
  }
  mkdirSync(join(folder, 'lists', 'partial'), { recursive: true })
  mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true })
  // The mirror that this system has its own packages from.
  const targets = await run('apt-get', ['indextargets', '--format', '$(CODENAME) $(REPO_URI)'])
  const mirror = /^bookworm (\S+)$/m.exec(targets)?.[1]
  if (mirror === undefined) throw new NoValkey(`${why}: this is not Debian 12`)
  const sources = join(folder, 'sources.list')
  writeFileSync(sources, `deb [signed-by=${KEYRING}] ${mirror} bookworm-backports main\n`)
  const settings = {
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '-',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  await run('apt-get', [...options, 'update'])
  await run('apt-get', [...options, 'download', ...PACKAGES])
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb')))
    await run('dpkg-deb', ['-x', file, 'root'])
}
