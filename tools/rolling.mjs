// Nodes of two versions on one Redis: the old ones are built from a commit of before layout 2. A part of npm run test:long; alone:
// node tools/rolling.mjs
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { findRedisServer } from './servers/redis-binary.mjs'
import { start, until } from './servers/topology.mjs'

/** The last commit that knows layout 1 alone, and the first format of web sessions. */
const BEFORE = '16cf2f7745006f86da96365035f994938f44c097'

/** As long as a layout is recorded before it is written, and a little more. */
const WRITTEN_AFTER_MS = 17_000

const PREFIX = 'rolling'
const PROGRAM = readFileSync(join(root, 'tools', 'rolling', 'node.ts'), 'utf8')

const git = (...args) => runProgram('git', ['-C', root, ...args], { quiet: true })

/** The sources of before with their dependencies, in a folder of their own. */
async function checkOut(folder) {
  const { status, output } = await git('worktree', 'add', '--detach', folder, BEFORE)
  if (status !== 0) throw new Error(`the sources of before are not to be had: ${output}`)
  const { packageManager } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const pnpm = packageManager.split('+')[0]
  const args = ['--yes', pnpm, '--dir', folder, 'install', '--frozen-lockfile', '--prefer-offline']
  const installed = await runProgram('npx', args, { quiet: true, cwd: tmpdir() })
  if (installed.status !== 0)
    throw new Error(`the dependencies of before cannot be installed: ${installed.output}`)
}

/** The program of a node over the sources of a folder. */
async function build(folder) {
  const { build: bundle } = await import('esbuild')
  const out = join(folder, 'node_modules', '.cache', 'rolling')
  mkdirSync(out, { recursive: true })
  copyFileSync(join(folder, 'packages', 'authstate', 'package.json'), join(out, 'package.json'))
  const outfile = join(out, 'node.mjs')
  await bundle({
    stdin: {
      contents: PROGRAM,
      resolveDir: join(folder, 'tools', 'lib'),
      loader: 'ts',
      sourcefile: 'node.ts',
    },
    absWorkingDir: folder,
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@authstate/source'],
    loader: { '.lua': 'text' },
    external: ['ioredis'],
    mainFields: ['module', 'main'],
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url)",
    },
    logLevel: 'error',
  })
  return outfile
}

/** A running node: takes one order after the other. */
class Node {
  #child
  #lines
  #ended

  constructor(program, name, { port, withCluster = true }) {
    const told = { url: `redis://127.0.0.1:${port}`, prefix: PREFIX, name, withCluster }
    const env = { ...toolEnv(), AUTHSTATE_ROLLING: JSON.stringify(told) }
    this.#child = spawn(process.execPath, [program], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.#ended = new Promise((done) => this.#child.once('close', done))
    this.name = name
  }

  /** What it says next: at first its verbs, or why it does not start. */
  async next() {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`${this.name} has ended`)
    return JSON.parse(value)
  }

  async tell(order) {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    return this.next()
  }

  async store() {
    const { value, text } = await this.tell({ do: 'store' })
    if (value === undefined) throw new Error(`${this.name} cannot store: ${text}`)
    return value
  }

  async close() {
    await this.tell({ do: 'close' })
    this.#child.stdin.end()
    await this.#ended
  }

  kill() {
    this.#child.kill('SIGKILL')
  }
}

/** What is in no order, or in that of names that are made. */
const LISTS = new Set(['entries', 'items'])
const sorted = (list) => list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

/** Names that are made anew each time, and instants: what two runs may differ in. */
function told(answer, stored) {
  const names = new Map(Object.entries(stored).map(([name, value]) => [value, `<${name}>`]))
  const plain = (value) => {
    if (typeof value === 'number') return value > 1e11 ? '<instant>' : value
    if (typeof value === 'string')
      return names.get(value) ?? (/^([\w-]{11}|[\w.-]{20,})$/.test(value) ? '<made>' : value)
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([key, held]) => [
          names.get(key) ?? key,
          LISTS.has(key) ? sorted(plain(held)) : plain(held),
        ]),
      )
    return value
  }
  const { text: _, ...rest } = answer
  return plain(rest)
}

/** Every verb, asked of each node about what each of them has stored: what the old one says of its own is right. */
async function compareVerbs(old, now, verbs) {
  for (const [spi, verb] of verbs) {
    let right
    for (const [writer, asked] of [
      [old, old],
      [old, now],
      [now, old],
      [now, now],
    ]) {
      const stored = await writer.store()
      const first = await asked.tell({ do: 'look', stored })
      const answer = told(await asked.tell({ do: 'ask', spi, verb, stored }), stored)
      const views = []
      for (const node of [old, now]) views.push(told(await node.tell({ do: 'look', stored }), stored))
      const what = `${spi} ${verb}: ${writer.name} has stored, ${asked.name} was asked`
      assert.ok(first.value?.[0], `${what}: it does not see the session`)
      assert.deepEqual(views[1], views[0], `${what}: both nodes see the same afterwards`)
      right ??= { answer, view: views[0] }
      assert.deepEqual(answer, right.answer, what)
      assert.deepEqual(views[0], right.view, `${what}: what is there afterwards`)
    }
  }
}

/** Versions that stored sessions and failures say they have. */
async function storedVersions(redis) {
  const found = {}
  for (const kind of ['us', 'os', 'wo', 'lf']) {
    for (const key of await redis('KEYS', `${PREFIX}:{*}:${kind}:*`)) {
      const text =
        kind === 'wo' ? await redis('GET', key) : await redis('HGET', key, kind === 'lf' ? '_v' : 't')
      const version = /^v?(\d+)/.exec(text)?.[1]
      if (version !== '0') found[kind] = [...new Set([...(found[kind] ?? []), version])]
    }
  }
  return found
}

const written = (version) => ({ us: [version], os: [version], wo: [version], lf: [version] })

async function run(folder, server) {
  await checkOut(folder)
  const [before, now] = [await build(folder), await build(root)]
  const port = server.basePort
  const client = new Redis(port, server.host)
  const redis = (...args) => client.call(...args)
  const recorded = () => redis('HGET', `${PREFIX}:layout`, '_v')
  const nodes = []
  const open = async (program, name, options = {}) => {
    const node = new Node(program, name, { port, ...options })
    nodes.push(node)
    const said = await node.next()
    assert.equal(said.error === undefined, !options.isRefused, `${name}: ${said.text}`)
    return { node, said }
  }
  try {
    const { node: old, said } = await open(before, 'old')
    assert.equal(await recorded(), '1')
    const { node: bare } = await open(before, 'bare', { withCluster: false })
    const { node: first, said: saidNow } = await open(now, 'now')
    const known = new Set(saidNow.verbs.map(String))
    const verbs = said.verbs.filter((verb) => known.has(String(verb)))
    await compareVerbs(old, first, verbs)
    await first.store()
    assert.deepEqual(await storedVersions(redis), written('1'))
    assert.equal(await recorded(), '1', 'an old node is there: the layout stays')
    console.log(`rolling run: ${verbs.length} verbs answer the same on both versions, layout 1 is written`)

    const stored = await old.store()
    const seen = told(await first.tell({ do: 'look', stored }), stored)
    await old.close()
    await until('the layout is raised', async () => (await recorded()) === '2')
    const { said: refusal } = await open(before, 'again', { isRefused: true })
    assert.equal(refusal.error, 'ConfigurationError')
    assert.match(refusal.text, /have layout 2, this version reads 1$/)
    await until('a node that is no member stops', async () => {
      const answer = await bare.tell({ do: 'look', stored })
      return answer.error !== undefined && /have layout 2, this version reads 1$/.test(answer.text)
    })
    console.log(
      'rolling run: without old nodes the layout is 2; old ones are refused by name, running and at their start',
    )

    await pause(WRITTEN_AFTER_MS)
    assert.deepEqual(
      told(await first.tell({ do: 'look', stored }), stored),
      seen,
      'what the old one has stored',
    )
    const { node: second } = await open(now, 'second')
    for (const [spi, verb] of [
      ['user-session', 'refresh'],
      ['user-session', 'createOffline'],
      ['web-session', 'update'],
      ['login-failure', 'recordFailure'],
    ])
      assert.equal((await second.tell({ do: 'ask', spi, verb, stored })).error, undefined, `${spi} ${verb}`)
    assert.deepEqual(await storedVersions(redis), written('2'), 'a change writes what is there in layout 2')
    await compareVerbs(first, second, verbs)
    await second.store()
    assert.deepEqual(await storedVersions(redis), written('2'))
    console.log('rolling run: what the old version has stored is read, changed and brought into layout 2')
    for (const node of [first, second]) await node.close()
  } finally {
    for (const node of nodes) node.kill()
    client.disconnect()
  }
}

/** Runs it; says so where something that it needs is not there. */
export async function rollingRun() {
  if (findRedisServer() === undefined) return console.log('rolling run: left out, it needs redis-server')
  if ((await git('cat-file', '-e', `${BEFORE}^{commit}`)).status !== 0)
    return console.log(
      `rolling run: left out, the history of this clone does not reach commit ${BEFORE.slice(0, 7)}`,
    )
  const parent = mkdtempSync(join(tmpdir(), 'authstate-rolling-'))
  const folder = join(parent, 'before')
  const server = await start('single')
  try {
    await run(folder, server)
  } finally {
    await server.stop()
    await git('worktree', 'remove', '--force', folder)
    rmSync(parent, { recursive: true, force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await rollingRun()
