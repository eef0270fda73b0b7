// What is of files only: a full disk, rotation, several processes, folders.
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { FakeClock } from 'authstate/testing'
import { expect, test } from 'vitest'
import { startChild } from '../../../tools/testing/child.js'
import type { FileAuditConfig } from '../src/config.js'
import { FileStore } from '../src/file.js'
import type { AuditEntry, AuditLine } from '../src/index.js'
import { fileAudit } from '../src/index.js'
import { ending, folder, linesOf, opened } from './support.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const signal = new AbortController().signal
const line = (n: number, session = 's'): AuditLine => ({
  v: 1,
  id: `${n}`,
  at: n,
  event: 'session.changed',
  realm: 'acme',
  records: [{ kind: 'user-session', name: `a.${session}` }],
  node: 'n1',
})

const configOf = (directory: string, more: Partial<FileAuditConfig> = {}): FileAuditConfig => ({
  directory,
  touches: false,
  required: false,
  timeoutMs: 2_000,
  maxFileBytes: 64 * 1024 * 1024,
  rotateMs: DAY,
  keepMs: 90 * DAY,
  maxFiles: 1_000,
  sync: false,
  ...more,
})

async function idsOf(store: FileStore, first: 'newest' | 'oldest' = 'oldest'): Promise<string[]> {
  const ids: string[] = []
  for await (const { entry } of store.scan({ first, since: 0 })) ids.push(entry.id)
  return ids
}

const filesOf = (directory: string) => readdirSync(directory).sort()

test('a disk that is full keeps no torn line, and what was refused comes when there is room', async () => {
  const directory = await folder()
  let room = 400
  const store = new FileStore(configOf(directory), new FakeClock(), async (path) => {
    const file = await open(path, 'ax')
    const write = file.write.bind(file)
    // As a disk does it: what fits is taken, then nothing.
    file.write = (async (bytes: Buffer, offset: number, length: number) => {
      const taken = Math.min(length, room)
      room -= taken
      if (taken === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      return write(bytes, offset, taken)
    }) as typeof file.write
    return file
  })
  await store.append([line(1)], signal)
  await expect(store.append([line(2), line(3), line(4)], signal)).rejects.toThrow('no space')
  const [name = ''] = filesOf(directory)
  expect(readFileSync(join(directory, name), 'utf8').trim().split('\n')).toHaveLength(1)
  room = 10_000
  await store.append([line(2), line(3), line(4)], signal)
  expect(await idsOf(store)).toEqual(['1', '2', '3', '4'])
  expect(filesOf(directory)).toEqual([name])
  await store.close()
})

test('an action goes on while the disk is full, and its lines come later; with `required` it is not done', async () => {
  const directory = await folder()
  const { audit, state, logger } = await opened({
    providers: [fileAudit()],
    audit: { directory, sync: false },
  })
  await audit.refuse(ending, 'forbidden')
  const [name = ''] = filesOf(directory)
  // Nothing can be written into a folder that is none.
  renameSync(directory, `${directory}-away`)
  writeFileSync(directory, '')
  let isDone = false
  await audit.act(ending, async () => {
    isDone = true
  })
  expect(isDone).toBe(true)
  expect(state.stats()['audit']).toMatchObject({ written: 1, waiting: 2, failures: 1 })
  expect((await state.health()).providers.find(({ spi }) => spi === 'audit')).toMatchObject({ ok: false })
  const said = logger.entries.filter(({ level }) => level === 'error').map(({ message }) => message)
  expect(said).toEqual(['audit: a line cannot be written; it waits'])
  renameSync(directory, `${directory}-none`)
  renameSync(`${directory}-away`, directory)
  await state.close()
  const lines = filesOf(directory).flatMap((file) =>
    readFileSync(join(directory, file), 'utf8')
      .trim()
      .split('\n')
      .map((text) => (JSON.parse(text) as AuditEntry).outcome),
  )
  expect(filesOf(directory)).toContain(name)
  expect(lines).toEqual(['refused', 'begun', 'done'])

  const strict = await opened({
    providers: [fileAudit()],
    audit: { directory: join(directory, 'b'), required: true },
  })
  writeFileSync(join(directory, 'c'), '')
  renameSync(join(directory, 'b'), join(directory, 'd'))
  renameSync(join(directory, 'c'), join(directory, 'b'))
  isDone = false
  const acting = strict.audit.act(ending, async () => {
    isDone = true
  })
  await expect(acting).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
  expect(isDone).toBe(false)
})

test('a file is ended when it is large or old, and goes when it was kept for long enough', async () => {
  const directory = await folder()
  const clock = new FakeClock()
  const store = new FileStore(configOf(directory, { maxFileBytes: 1_024, keepMs: 3 * DAY }), clock)
  for (let n = 0; n < 20; n++) {
    await store.append([line(n)], signal)
    clock.advance(1)
  }
  const large = filesOf(directory)
  expect(large.length).toBeGreaterThan(1)
  for (const name of large) expect(statSync(join(directory, name)).size).toBeLessThan(1_400)
  clock.advance(DAY)
  await store.append([line(20)], signal)
  expect(filesOf(directory)).toHaveLength(large.length + 1)
  expect(await idsOf(store)).toEqual(Array.from({ length: 21 }, (_, n) => `${n}`))
  expect(await idsOf(store, 'newest')).toEqual(Array.from({ length: 21 }, (_, n) => `${20 - n}`))
  for (const name of large) utimesSync(join(directory, name), 0, 0)
  clock.advance(3 * DAY)
  await store.append([line(21)], signal)
  expect(filesOf(directory).filter((name) => large.includes(name))).toEqual([])
  await store.close()
})

test('the oldest files go where there are too many, and never one that a living process may write to', async () => {
  const directory = await folder()
  const clock = new FakeClock()
  const config = configOf(directory, { maxFileBytes: 1_024, maxFiles: 3 })
  const quiet = new FileStore(config, clock)
  await quiet.append([line(1_000)], signal)
  const [ofQuiet = ''] = filesOf(directory)
  clock.advance(1)
  const busy = new FileStore(config, clock)
  for (let n = 0; n < 60; n++) {
    await busy.append([line(n)], signal)
    clock.advance(1)
  }
  expect(filesOf(directory).length).toBeLessThanOrEqual(4)
  expect(filesOf(directory)).toContain(ofQuiet)
  await quiet.append([line(1_001)], signal)
  const ids = await idsOf(busy)
  expect(ids).toContain('1000')
  expect(ids).toContain('1001')
  // A day and an hour later nobody writes to it any more.
  clock.advance(2 * DAY)
  await busy.append([line(60)], signal)
  clock.advance(1)
  for (let n = 61; n < 80; n++) await busy.append([line(n)], signal)
  expect(filesOf(directory)).not.toContain(ofQuiet)
  await quiet.append([line(1_002)], signal)
  expect(await idsOf(busy)).toContain('1002')
  await Promise.all([quiet.close(), busy.close()])
})

test('lines of several nodes are read in the order in which they were written', async () => {
  const directory = await folder()
  const clock = new FakeClock()
  const nodes = [1, 2, 3].map(() => new FileStore(configOf(directory, { maxFileBytes: 1_024 }), clock))
  for (let n = 0; n < 90; n++) {
    // A record goes from node to node, as partitions do.
    await nodes[Math.floor(n / 7) % 3]?.append([line(n)], signal)
    clock.advance(1)
  }
  const [reader] = nodes as [FileStore]
  expect(await idsOf(reader)).toEqual(Array.from({ length: 90 }, (_, n) => `${n}`))
  expect(await idsOf(reader, 'newest')).toEqual(Array.from({ length: 90 }, (_, n) => `${89 - n}`))
  await Promise.all(nodes.map((store) => store.close()))
})

test('a file that somebody moved away gets nothing more, and one that is torn or strange is read as far as it goes', async () => {
  const directory = await folder()
  const store = new FileStore(configOf(directory), new FakeClock())
  await store.append([line(1)], signal)
  const [name = ''] = filesOf(directory)
  mkdirSync(join(directory, 'archive'))
  renameSync(join(directory, name), join(directory, 'archive', name))
  await store.append([line(2)], signal)
  expect(await idsOf(store)).toEqual(['2'])
  const [now = ''] = filesOf(directory).filter((file) => file.endsWith('.jsonl'))
  appendFileSync(join(directory, now), '{"v":1,"id":"torn')
  const text = (id: string, more = {}) => JSON.stringify({ ...line(1), id, writtenAt: 1, ...more })
  writeFileSync(
    join(directory, 'audit-19700101T000000001Z-0123abcd.jsonl'),
    `nonsense\n${text('old')}\n\n${text('of a later version', { v: 2 })}\n[]\n`,
  )
  writeFileSync(join(directory, 'audit-of-another-program.jsonl'), `${text('foreign')}\n`)
  expect(await idsOf(store)).toEqual(['old', '2'])
  expect(await idsOf(store, 'newest')).toEqual(['2', 'old'])
  await store.close()
})

test('lines longer than what is read at once are whole, from either end', async () => {
  const directory = await folder()
  const store = new FileStore(configOf(directory), new FakeClock())
  for (let n = 0; n < 6; n++)
    await store.append([{ ...line(n), details: { long: 'ü'.repeat(n * 20_000) } }], signal)
  expect(await idsOf(store)).toEqual(['0', '1', '2', '3', '4', '5'])
  expect(await idsOf(store, 'newest')).toEqual(['5', '4', '3', '2', '1', '0'])
  await store.close()
})

test('a folder that cannot be is refused at the start, unless it is only read', async () => {
  const directory = await folder()
  writeFileSync(join(directory, 'file'), '')
  for (const wrong of [join(directory, 'file'), join(directory, 'file', 'below'), '/proc/authstate-audit']) {
    await expect(opened({ providers: [fileAudit()], audit: { directory: wrong } })).rejects.toThrow(
      /audit\.directory: the folder cannot be written to: E/,
    )
  }
  const { audit } = await opened({
    providers: [fileAudit({ readOnly: true })],
    audit: { directory: join(directory, 'absent') },
  })
  expect(await linesOf(audit)).toEqual([])
  expect(() => fileAudit({ readonly: true } as never)).toThrow("Did you mean 'readOnly'?")
})

test('processes that write and rotate at once lose nothing', async () => {
  const directory = await folder()
  const program = new URL('./fixtures/writing.ts', import.meta.url).pathname
  const children = ['one', 'two'].map((name) => startChild(program, [directory, name, '300']))
  for (const child of children) expect((await child.ended).code).toBe(0)
  const store = new FileStore(configOf(directory), new FakeClock())
  for (const name of ['one', 'two']) {
    const ids = (await idsOf(store)).filter((id) => id.startsWith(name))
    expect(ids).toEqual(Array.from({ length: 300 }, (_, n) => `${name} ${n}`))
  }
  expect(filesOf(directory).length).toBeGreaterThan(20)
})
