import { RecordingLogger } from '@authstate/conformance'
import { httpClientSpi, memoryHttpClient } from '@authstate/http-client'
import { createProviderRegistry } from '@authstate/registry'
import { expect, test } from 'vitest'
import { createNodeRegistration, type NodeRegistrationOptions } from '../src/index.js'

const URL = 'https://op.example.com/realms/shop/clients-managements/register-node'

/** A server that answers as it is told, and everything that it was asked. */
function server(answers: readonly (number | Error)[]) {
  const asked: { url: string; body: string; headers: Readonly<Record<string, string>> }[] = []
  const waiting: (() => void)[] = []
  const request: NodeRegistrationOptions['httpClient']['request'] = async (url, { body, headers = {} }) => {
    asked.push({ url: String(url), body: String(body), headers })
    for (const wake of waiting.splice(0)) wake()
    const answer = answers[Math.min(asked.length, answers.length) - 1]
    if (typeof answer !== 'number') throw answer
    return { status: answer }
  }
  const until = async (count: number): Promise<void> => {
    while (asked.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  return { asked, until, httpClient: { request } }
}

const open = (
  httpClient: NodeRegistrationOptions['httpClient'],
  more: Partial<NodeRegistrationOptions> = {},
) =>
  createNodeRegistration({
    httpClient,
    registerUrl: URL,
    host: 'app-1.internal',
    authenticate: () => ({ headers: { authorization: 'Basic c2hvcDp4' }, form: { client_id: 'shop' } }),
    logger: new RecordingLogger(),
    ...more,
  })

test('a node registers at once, renews while nobody asks it for anything, and unregisters once', async () => {
  const { asked, until, httpClient } = server([204])
  const registration = open(httpClient, { periodMs: 100 })
  expect(await registration.first).toEqual({ state: 'registered', failures: 0 })
  await until(3)
  await Promise.all([registration.close(), registration.close()])
  expect(asked[0]).toEqual({
    url: URL,
    body: 'client_id=shop&client_cluster_host=app-1.internal',
    headers: { authorization: 'Basic c2hvcDp4', 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(asked.at(-1)?.url).toBe(URL.replace('register-node', 'unregister-node'))
  expect(asked.filter(({ url }) => url.includes('unregister'))).toHaveLength(1)
  expect(registration.state.state).toBe('closed')
})

test('a server that is away is asked again, logged once and when it is back; one that refuses is left alone', async () => {
  const logger = new RecordingLogger()
  const { until, httpClient } = server([new Error('secret'), new Error('secret'), 204])
  const registration = open(httpClient, { periodMs: 100, logger })
  expect(await registration.first).toEqual({ state: 'failing', failures: 1 })
  await until(4)
  expect(registration.state.state).toBe('registered')
  expect(logger.entries.map(({ level }) => level)).toEqual(['warn', 'info'])
  expect(JSON.stringify(logger.entries)).not.toContain('secret')
  await registration.close()
  const refusing = server([400])
  const refused = open(refusing.httpClient)
  expect(await refused.first).toEqual({ state: 'refused', failures: 1 })
  await refused.close()
  expect(refusing.asked).toHaveLength(1)
})

test('a server that hangs holds nobody up at the end for longer than a request may take', async () => {
  let isHanging = false
  const request: NodeRegistrationOptions['httpClient']['request'] = () =>
    isHanging ? new Promise(() => {}) : Promise.resolve({ status: 204 })
  const registration = open({ request }, { deadlineMs: 50 })
  await registration.first
  isHanging = true
  await registration.close()
})

test('options that cannot work are refused by name', () => {
  const { httpClient } = server([204])
  expect(() => open(httpClient, { registerUrl: '/register-node' })).toThrow(/"registerUrl"/)
  expect(() => open(httpClient, { registerUrl: 'https://op.example.com/nodes' })).toThrow(/"unregisterUrl"/)
  expect(() => open(httpClient, { host: '' })).toThrow(/"host"/)
  expect(() => open(httpClient, { periodMs: 10 })).toThrow(/"periodMs"/)
  expect(() => open({} as never)).toThrow(/"httpClient.request"/)
})

test('http-client sends the requests', async () => {
  const asked: string[] = []
  const registry = createProviderRegistry({
    factories: [
      memoryHttpClient((request) => {
        asked.push(String(request.url))
        return { status: 204 }
      }),
    ],
    config: { spi: { 'http-client': { provider: 'memory' } } },
  })
  await registry.start()
  const registration = open(registry.get(httpClientSpi))
  expect((await registration.first).state).toBe('registered')
  await registration.close()
  await registry.close()
  expect(asked).toHaveLength(2)
})
