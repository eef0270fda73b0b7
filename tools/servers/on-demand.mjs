// Servers that start when the first test file asks for one. Test files are processes of their own and ask while they
// are collected, which is synchronous: so they ask and are answered through files in a folder that both sides know.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LOOK_EVERY_MS = 20
const GIVE_UP_MS = 120_000

const wanted = (folder, name) => join(folder, `${name}.wanted`)
const answered = (folder, name) => join(folder, `${name}.json`)

/**
 * Starts each server once, at the first {@link askFor} with its name.
 *
 * @param start By name: starts the server, resolves with its address and how to stop it.
 */
export function offer(start) {
  const folder = mkdtempSync(join(tmpdir(), 'authstate-servers-'))
  const starting = new Map()

  async function answer(name) {
    let reply
    let stop = async () => {}
    try {
      const started = await start[name]()
      stop = started.stop
      reply = { address: started.address }
    } catch (error) {
      reply = { error: String(error?.stack ?? error) }
    }
    // A reader never sees half a file.
    writeFileSync(join(folder, `${name}.part`), JSON.stringify(reply))
    renameSync(join(folder, `${name}.part`), answered(folder, name))
    return stop
  }

  const timer = setInterval(() => {
    for (const name of Object.keys(start)) {
      if (!starting.has(name) && existsSync(wanted(folder, name))) starting.set(name, answer(name))
    }
  }, LOOK_EVERY_MS)

  return {
    folder,
    async stop() {
      clearInterval(timer)
      const stops = await Promise.all(starting.values())
      await Promise.all(stops.map((stop) => stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Blocks this process until the server runs, and answers its address. */
export function askFor(folder, name) {
  const file = answered(folder, name)
  if (!existsSync(file)) writeFileSync(wanted(folder, name), '')
  const still = new Int32Array(new SharedArrayBuffer(4))
  const until = performance.now() + GIVE_UP_MS
  while (!existsSync(file)) {
    if (performance.now() > until)
      throw new Error(`the ${name} of this run did not start in ${GIVE_UP_MS} ms`)
    Atomics.wait(still, 0, 0, LOOK_EVERY_MS)
  }
  const { address, error } = JSON.parse(readFileSync(file, 'utf8'))
  if (error !== undefined) throw new Error(`the ${name} of this run did not start: ${error}`)
  return address
}
