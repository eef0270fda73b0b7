// The scripted client, for the tests of others: the contract is the same, only nothing is sent.
import { createProviderRegistry } from '@authstate/registry'
import { expect, onTestFinished, test } from 'vitest'
import { HttpError, httpClientSpi, memoryHttpClient, type Script } from '../src/index.js'
import { outcomeOf } from './client.js'

async function scripted(script: Script, properties: object = {}) {
  const registry = createProviderRegistry({
    factories: [memoryHttpClient(script)],
    config: { spi: { 'http-client': { ...properties } } },
  })
  onTestFinished(() => registry.close())
  await registry.start()
  return registry.get(httpClientSpi)
}

test('a script sees the request, and its answer is an answer', async () => {
  const seen: unknown[] = []
  const client = await scripted(({ url, method, headers, body }) => {
    seen.push([url, method, headers['content-type'], body])
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' }
  })
  const answer = await client.request('https://app.example.com/token?x=1#y', {
    purpose: 'token',
    method: 'POST',
    headers: { 'Content-Type': 'text/plain' },
    body: 'b',
  })
  expect(seen).toEqual([['https://app.example.com/token?x=1', 'POST', 'text/plain', 'b']])
  expect([answer.status, answer.headers['content-type'], answer.json()]).toEqual([
    200,
    'application/json',
    { a: 1 },
  ])
})

test('deadlines, limits, the guard and closing are those of the contract', async () => {
  let calls = 0
  const hanging = await scripted(
    ({ url }) => {
      calls++
      return url.endsWith('/large') ? { status: 200, body: 'abc' } : new Promise(() => {})
    },
    { deadlineMs: 20, maxResponseBytes: 2 },
  )
  const request = (url: string) => outcomeOf(hanging.request(url, { purpose: 'x' }))
  expect(await request('https://a.example/')).toBe('timeout unknown')
  expect(await request('https://a.example/large')).toBe('too-large unknown')
  expect(await request('https://127.1/')).toBe('egress no')
  expect(await request('https://a.example:25/')).toBe('egress no')
  expect(calls).toBe(2)
  const waiting = outcomeOf(hanging.request('https://a.example/', { purpose: 'x', deadlineMs: 60_000 }))
  await hanging.close?.()
  expect(await waiting).toBe('ERR_PROVIDER_CLOSED undefined')
})

test('what a script throws is the failure', async () => {
  const client = await scripted(() => {
    throw new HttpError('connect', { sent: 'no', host: 'a.example' })
  })
  expect(await outcomeOf(client.request('https://a.example/', { purpose: 'x' }))).toBe('connect no')
  const broken = await scripted(() => {
    throw new Error('secret')
  })
  const error = await broken.request('https://a.example/', { purpose: 'x' }).catch((e) => e)
  expect([error.code, String(error)]).toEqual(['protocol', expect.not.stringContaining('secret')])
  expect(() => memoryHttpClient(undefined as never)).toThrow(TypeError)
})
