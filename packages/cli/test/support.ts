import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ExitCode, run } from '../src/index.js'

/** What a test gives a command. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
  /** What a person answers; left out, there is nobody to ask. */
  readonly answer?: string
  readonly isTerminal?: boolean
  readonly columns?: number
  readonly interrupted?: AbortSignal
  /** Called with each text for standard output. */
  readonly onOutput?: (text: string) => void
  /** Called with each text for standard error. */
  readonly onError?: (text: string) => void
}

/** What a command said and ended with. */
export interface Said {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
  readonly questions: readonly string[]
}

/** Runs the command in surroundings of the test. */
export async function command(args: readonly string[], given: Given = {}): Promise<Said> {
  const { env = {}, cwd = tmpdir(), input = '', answer, isTerminal = false, columns = 100 } = given
  let out = ''
  let err = ''
  const questions: string[] = []
  const code = await run(
    args,
    {
      cwd,
      env,
      stdout: {
        write: (text) => {
          out += text
          given.onOutput?.(text)
        },
        isTerminal,
        columns,
      },
      stderr: {
        write: (text) => {
          err += text
          given.onError?.(text)
        },
        isTerminal,
        columns,
      },
      canAsk: answer !== undefined,
      ask: async (question) => {
        questions.push(question)
        return answer ?? ''
      },
      readInput: async () => input,
      interrupted: given.interrupted ?? new AbortController().signal,
      user: 'tester',
      now: Date.now,
    },
    '1.2.3',
  )
  return { code, out, err, questions }
}

/** A folder with these files, for the time of a test. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'authstate-cli-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}
