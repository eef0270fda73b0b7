import { httpClientSuite } from '../../packages/http-client/src/conformance.js'
import { HttpError, undiciHttpClient } from '../../packages/http-client/src/index.js'
import { inMemory } from './plant.js'

const HOUR_MS = 3_600_000

export const httpClientBugs = inMemory(
  httpClientSuite,
  () => undiciHttpClient({ env: {} }),
  (plant) => {
    plant(
      'redirect',
      'the place that an answer names is asked next',
      'request: every status is an answer, and nothing is sent to where a redirect leads',
      (real) => ({
        request: async (url, init) => {
          const answer = await real.request(url, init)
          const { location } = answer.headers
          if (answer.status < 300 || answer.status > 399 || typeof location !== 'string') return answer
          return real.request(location, { purpose: init.purpose, egress: init.egress })
        },
      }),
    )
    plant(
      'wrong error',
      'an answer of 400 and more is thrown',
      'request: every status is an answer, and nothing is sent to where a redirect leads',
      (real) => ({
        request: async (url, init) => {
          const answer = await real.request(url, init)
          if (answer.status >= 400) throw new Error('the server did not like it')
          return answer
        },
      }),
      { throws: /did not like it/ },
    )
    plant(
      'guard',
      'only names are checked, not addresses',
      'request: what is not public is refused in every form',
      (real) => ({
        request: (url, init) =>
          real.request(url, { ...init, egress: [...(init.egress ?? []), '127.0.0.0/8'] }),
      }),
    )
    plant(
      'guard',
      'a rule of one request stays in force',
      'request: a rule of one request is for that one only, on a connection of its own',
      (real) => {
        const rules = new Set<string>()
        return {
          request: (url, init) => {
            for (const rule of init.egress ?? []) rules.add(rule)
            return real.request(url, { ...init, egress: [...rules] })
          },
        }
      },
    )
    plant(
      'guard',
      'a URL is mended before it is checked',
      'request: what is no target is refused, also where its address would be allowed',
      (real) => ({
        request: (url, init) => real.request(typeof url === 'string' ? url.replace(/\s/g, '') : url, init),
      }),
    )
    plant(
      'limit',
      'the limit of the request is not looked at',
      'request: an answer that is too large is not read to its end',
      (real) => ({
        request: (url, { maxResponseBytes: _, ...init }) => real.request(url, init),
      }),
    )
    plant(
      'limit',
      'an answer is cut at its limit, and passes for whole',
      'request: an answer that is too large is not read to its end',
      (real) => ({
        request: async (url, init) => {
          const { maxResponseBytes = 0, ...rest } = init
          const answer = await real.request(url, { ...rest, maxResponseBytes: 2 ** 30 })
          const bytes = answer.bytes().slice(0, maxResponseBytes)
          return { ...answer, bytes: () => bytes }
        },
      }),
    )
    plant(
      'limit',
      'an origin may take every connection',
      'request: one origin has its share of connections, and others go on',
      () => ({}),
      { config: (config) => ({ ...config, maxConnectionsPerOrigin: config.maxConnections }) },
    )
    plant('limit', 'the line has no end', 'request: more than may wait are refused at once', () => ({}), {
      config: (config) => ({ ...config, maxQueued: 1_000, queueTimeoutMs: 1_000 }),
    })
    plant(
      'deadline',
      'a body that drips has all the time it wants',
      'request: one deadline covers headers and body',
      (real) => ({
        request: (url, init) => real.request(url, { ...init, deadlineMs: HOUR_MS }),
      }),
      { hangs: true },
    )
    plant(
      'deadline',
      'what was sent is told as not sent',
      'request: one deadline covers headers and body',
      (real) => ({
        request: (url, init) =>
          real.request(url, init).catch((error: HttpError) => {
            throw new HttpError(error.code, { sent: 'no' })
          }),
      }),
    )
    plant(
      'sent twice',
      'a POST whose connection broke is sent again',
      'request: nothing is sent twice',
      (real) => ({
        request: (url, init) => real.request(url, init).catch(() => real.request(url, init)),
      }),
    )
    plant(
      'half the work',
      'a request that was given up before is sent',
      'request: the caller gives up',
      (real) => ({
        request: (url, { signal, ...init }) =>
          real.request(url, signal?.aborted ? { ...init, deadlineMs: 100 } : { ...init, signal }),
      }),
    )
    plant(
      'half the work',
      'closing leaves what is under way',
      'close: ends what is under way, and what waits',
      () => ({ close: async () => {} }),
    )
    plant(
      'leak',
      'an error names the URL',
      'request: an error holds nothing of the request or of the answer',
      (real) => ({
        request: (url, init) =>
          real.request(url, init).catch((error: Error) => {
            error.message += ` (${url})`
            throw error
          }),
      }),
    )
  },
)
