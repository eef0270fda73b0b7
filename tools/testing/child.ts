// A process that a test starts. It ends with its test, and when it dies it says why: with what status, and what it wrote to
// stderr, in the error of whoever waited for it.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { root } from '../lib/run.mjs'
import { bundle } from './bundle.js'

/** Where pnpm keeps what packages ask for. */
const HOISTED = join(root, 'node_modules', '.pnpm', 'node_modules')

export interface ChildOptions {
  /** The program of the Node that runs it. @default the one that runs here */
  readonly node?: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Flags of Node before the program. */
  readonly flags?: readonly string[]
  /** Whether it may ask for packages of packages: for one that looks for its part for this machine when it runs. */
  readonly findsHoisted?: boolean
  /** Takes the messages that the process sends with `process.send`, which it has then. */
  readonly onMessage?: (message: unknown) => void
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What of stderr an error shows. */
const SHOWN = 8_000

/**
 * Starts a program of Node. Call it in a test, which ends the process at the latest.
 *
 * @param program What is in TypeScript is bundled, unless `flags` say how Node runs it.
 */
export function startChild(program: string, args: readonly string[] = [], options: ChildOptions = {}): Child {
  const child = new Child(program, args, options)
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail' && child.stderr !== '') console.error(child.describe())
    child.signal('SIGKILL')
    await child.ended
  })
  return child
}

/** A running child process, whose stdout is read line by line. */
export class Child {
  /** What it has said so far. */
  readonly lines: string[] = []
  /** When it is gone and everything that it wrote was read. Never rejects. */
  readonly ended: Promise<Ended>
  readonly #name: string
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting = new Set<() => void>()
  #stdout = ''
  #stderr = ''
  #taken = 0
  #end: Ended | undefined

  constructor(
    program: string,
    args: readonly string[],
    { node = process.execPath, cwd, env, flags = [], onMessage, findsHoisted = false }: ChildOptions = {},
  ) {
    this.#name = basename(program)
    const isBundled = program.endsWith('.ts') && flags.length === 0
    const [file = program] = isBundled ? bundle(program) : []
    const pipes = ['pipe', 'pipe', 'pipe'] as const
    const child = spawn(node, [...flags, file, ...args], {
      cwd,
      env: { ...(env ?? process.env), ...(findsHoisted && { NODE_PATH: HOISTED }) },
      stdio: onMessage === undefined ? [...pipes] : [...pipes, 'ipc'],
    }) as ChildProcessWithoutNullStreams
    this.#process = child
    if (onMessage !== undefined) child.on('message', onMessage)
    // Whoever is told something after its end does not answer, and that is what its caller is told.
    child.stdin.on('error', () => {})
    child.stdout.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString()
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line)
      this.#wake()
    })
    this.ended = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#end = { code, signal, stdout: this.#stdout, stderr: this.#stderr }
        this.#wake()
        resolve(this.#end)
      }
      child.once('error', (error) => {
        this.#stderr += error.message
        end(null, null)
      })
      child.once('close', end)
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The next line that nobody took yet. @throws when it ends before it says one */
  async next(): Promise<string> {
    const index = this.#taken
    this.#taken += 1
    await this.#until(() => this.lines.length > index, 'its next line')
    return this.lines[index] as string
  }

  /** The first line, said already or to come, that is like that. @throws when it ends without one */
  async said(like: string | RegExp): Promise<string> {
    const found = () =>
      this.lines.find((line) => (typeof like === 'string' ? line === like : like.test(line)))
    await this.#until(() => found() !== undefined, `a line ${like}`)
    return found() as string
  }

  /** Writes a line to its stdin. */
  tell(line: string): void {
    this.#process.stdin.write(`${line}\n`)
  }

  /** Sends a message to a process whose messages are taken. @param failed Called when it cannot be sent. */
  send(message: object, failed: (error: Error) => void): void {
    this.#process.send(message, (error) => error && failed(error))
  }

  /** Sends a signal, if it still runs. */
  signal(signal: NodeJS.Signals): void {
    if (this.#end === undefined) this.#process.kill(signal)
  }

  /** Waits until it ends by itself, in order; answers what it wrote to stdout. @throws when its status is not 0 */
  async finished(): Promise<string> {
    const { code, stdout } = await this.ended
    if (code !== 0) throw new Error(this.describe())
    return stdout
  }

  /** How it stands, for an error. */
  describe(): string {
    const { code, signal } = this.#end ?? {}
    const how =
      this.#end === undefined
        ? 'is running'
        : `ended with ${typeof signal === 'string' ? `signal ${signal}` : `status ${code}`}`
    const wrote =
      this.#stderr === '' ? 'wrote nothing to stderr' : `wrote to stderr:\n${this.#stderr.slice(-SHOWN)}`
    return `child process ${this.#name} ${how} and ${wrote}`
  }

  #wake(): void {
    for (const look of this.#waiting) look()
  }

  #until(isSo: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (isSo()) resolve()
        else if (this.#end !== undefined) reject(new Error(`${what} did not come: ${this.describe()}`))
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }
}
