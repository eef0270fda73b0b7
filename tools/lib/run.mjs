// Steps and child processes of the root commands. Needs nothing but Node.
import { spawn } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '..', '..')

/** Children find the repository's own tools, and no tool reports home or compiles Redis on install. */
export const toolEnv = () => ({
  ...process.env,
  PATH: join(root, 'node_modules', '.bin') + delimiter + (process.env.PATH ?? ''),
  DO_NOT_TRACK: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  REDISMS_DISABLE_POSTINSTALL: '1',
})

export const isCi = () => !['', '0', 'false', undefined].includes(process.env.CI)

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

/** Runs a program to its end; Ctrl-C and SIGTERM reach it, and we wait for it. Resolves with its exit status. */
export function runProgram(command, args, { env = toolEnv(), cwd = root, quiet = false } = {}) {
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    shell: process.platform === 'win32',
  })
  let output = ''
  for (const stream of quiet ? [child.stdout, child.stderr] : [])
    stream.on('data', (chunk) => (output += chunk))
  const wait = () => {} // the terminal has told the child as well
  const pass = () => child.kill('SIGTERM')
  process.on('SIGINT', wait).on('SIGTERM', pass)
  return new Promise((done) => {
    const end = (status) => {
      process.off('SIGINT', wait).off('SIGTERM', pass)
      done({ status, output })
    }
    child.once('error', (error) => {
      output += error.message
      end(127)
    })
    child.once('close', (code) => end(code ?? 1))
  })
}
