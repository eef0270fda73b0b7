import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startChild } from '../tools/testing/child.js'

const folder = mkdtempSync(join(tmpdir(), 'authstate-child-'))
afterAll(() => rmSync(folder, { recursive: true }))

function start(source: string) {
  const program = join(folder, `${Math.random()}.mjs`)
  writeFileSync(program, source)
  return startChild(program, [], { flags: [] })
}

test('a child that dies says why to whoever waits for a line, for one like that, and for its end', async () => {
  const child = start(`console.log('ready'); throw new Error('the directory is away')`)
  expect(await child.next()).toBe('ready')
  for (const waiting of [child.next(), child.said('done'), child.said(/^do/), child.finished()]) {
    await expect(waiting).rejects.toThrow(
      /ended with status 1 and wrote to stderr:[\s\S]*the directory is away/,
    )
  }
  expect(await child.said('ready')).toBe('ready')
  child.tell('too late')
})

test('a child that was killed says by which signal', async () => {
  const child = start('setInterval(() => {}, 1000)')
  child.signal('SIGKILL')
  await expect(child.finished()).rejects.toThrow(/ended with signal SIGKILL and wrote nothing to stderr/)
})

test('a child is told lines and answers, each line to one who waits', async () => {
  const child = start(
    `process.stdin.on('data', (text) => { process.stdout.write(String(text).toUpperCase()); process.stdin.destroy() })`,
  )
  const lines = [child.next(), child.next()]
  child.tell('one\ntwo')
  expect(await Promise.all(lines)).toEqual(['ONE', 'TWO'])
  expect(await child.finished()).toBe('ONE\nTWO\n')
})
