// npm run test:valkey [-- vitest's arguments]: every package on a Valkey server instead of Redis. The server on the PATH,
// or Debian's, which is unpacked into a folder of its own and not installed.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, isProgram } from './lib/debian.mjs'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'

const PACKAGES = ['valkey-server', 'valkey-tools']
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const PROJECTS = [
  'redis',
  'action-token',
  'auth-session',
  'user-session',
  'login-failure',
  'cluster',
  'realm-cache',
]

async function findValkey() {
  const found = findProgram(['valkey-server'])
  if (found !== undefined) return found
  const folder = join(root, 'node_modules', '.cache', 'valkey')
  const server = join(folder, 'root', 'usr', 'bin', 'valkey-server')
  if (!isProgram(server)) await unpack(folder)
  return server
}

async function unpack(folder) {
  const why = "there is no valkey-server on the PATH, and Debian's could not be unpacked"
  if (findProgram(['apt-get']) === undefined) throw new Error(`${why}: there is no apt-get`)
  const run = async (command, args) => {
    const { status, output } = await runProgram(command, args, { cwd: folder, quiet: true })
    if (status !== 0) throw new Error(`${why}: ${command}: ${output.trim().split('\n').at(-1)}`)
    return output
  }
  mkdirSync(join(folder, 'lists', 'partial'), { recursive: true })
  mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true })
  // The mirror that this system has its own packages from.
  const targets = await run('apt-get', ['indextargets', '--format', '$(CODENAME) $(REPO_URI)'])
  const mirror = /^bookworm (\S+)$/m.exec(targets)?.[1]
  if (mirror === undefined) throw new Error(`${why}: this is not Debian 12`)
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

requireNode()
try {
  await installDependencies()
  const server = await findValkey()
  console.log(`valkey: ${server}`)
  const own = process.argv.slice(2)
  const projects = own.includes('--project') ? [] : PROJECTS.flatMap((name) => ['--project', name])
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = await runProgram(
    process.execPath,
    [vitest, 'run', '--maxWorkers=2', ...projects, ...own],
    {
      env: { ...toolEnv(), AUTHSTATE_TEST_REDIS_BINARY: server },
    },
  )
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
