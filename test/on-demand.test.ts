import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { offer } from '../tools/servers/on-demand.mjs'

const module = new URL('../tools/servers/on-demand.mjs', import.meta.url).href
const execute = promisify(execFile)

/** A process that asks for a server, as a test file does; resolves with the address. */
async function askingProcess(folder: string, name: string): Promise<string> {
  const program = `import { askFor } from '${module}'; process.stdout.write(askFor('${folder}', '${name}'))`
  return (await execute(process.execPath, ['--input-type=module', '-e', program])).stdout
}

test('a server starts at the first request, once for all who ask, and is stopped at the end', async () => {
  const done: string[] = []
  const start = (name: string) => async () => {
    done.push(`start ${name}`)
    return { address: `${name}://here`, stop: async () => done.push(`stop ${name}`) }
  }
  const servers = offer({ redis: start('redis'), cluster: start('cluster') })
  try {
    const asked = await Promise.all([1, 2, 3].map(() => askingProcess(servers.folder, 'redis')))
    expect(asked).toEqual(['redis://here', 'redis://here', 'redis://here'])
    expect(done).toEqual(['start redis'])
  } finally {
    await servers.stop()
  }
  expect(done).toEqual(['start redis', 'stop redis'])
  expect(existsSync(servers.folder)).toBe(false)
})

test('who asks for a server that cannot start is told why', async () => {
  const servers = offer({ redis: () => Promise.reject(new Error('the port is taken')) })
  try {
    await expect(askingProcess(servers.folder, 'redis')).rejects.toThrow(
      /the redis of this run.*port is taken/,
    )
  } finally {
    await servers.stop()
  }
})
