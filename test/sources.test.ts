import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { actionTokenSuite } from '../packages/action-token/src/conformance.js'
import { applicationNodeSuite } from '../packages/application-node/src/conformance.js'
import { authSessionSuite } from '../packages/auth-session/src/conformance.js'
import { clusterSuite } from '../packages/cluster/src/conformance.js'
import { hostnameSuite } from '../packages/hostname/src/conformance.js'
import { httpClientSuite } from '../packages/http-client/src/conformance.js'
import { loginFailureSuite } from '../packages/login-failure/src/conformance.js'
import { realmCacheSuite } from '../packages/realm-cache/src/conformance.js'
import { stickySessionEncoderSuite } from '../packages/sticky-session-encoder/src/conformance.js'
import { userSessionSuite } from '../packages/user-session/src/conformance.js'
import { webSessionSuite } from '../packages/web-session/src/conformance.js'
import { rowsOf, scenariosOf, unknownSources } from './lib/sources.js'

const page = readFileSync('docs/sources.md', 'utf8')
const suites = [
  actionTokenSuite,
  applicationNodeSuite,
  authSessionSuite,
  clusterSuite,
  hostnameSuite,
  httpClientSuite,
  loginFailureSuite,
  realmCacheSuite,
  stickySessionEncoderSuite,
  userSessionSuite,
  webSessionSuite,
]

test('docs/sources.md knows the source of every case', () => {
  const cited = suites.flatMap(({ spi, cases }) =>
    cases.map(({ name, source }) => ({ of: `${spi.name}, ${name}`, source })),
  )
  expect(cited.length).toBeGreaterThan(400)
  const unknown = cited.flatMap(({ of, source }) =>
    unknownSources(source, page).map((item) => `${of}: ${item}`),
  )
  expect(unknown).toEqual([])
})

test('every scenario has a case, or a reason', () => {
  const named = suites.flatMap(({ cases }) => cases.flatMap(({ source }) => scenariosOf(source)))
  const without = rowsOf('Without a case', page)
  const all = Array.from({ length: 190 }, (_, n) => n + 1)
  expect([...new Set([...named, ...without])].sort((a, b) => a - b)).toEqual(all)
  expect(without.filter((item) => named.includes(item))).toEqual([])
})

test.each([
  ['A9/112, §6.2, §19 rows 12 and 38, 40, RFC 6749 §4.1.2 (a code), A12/133; peers B 27', []],
  ['112', ['112']],
  ['scenario 112', ['scenario 112']],
  ['A9/1112', ['scenario 1112']],
  ['A9/26', ['scenario 26 is not of A9']],
  ['§6.9', ['§6.9']],
  ['§19 row 77', ['§19 row 77']],
  ['B44', ['B44']],
  ['peers 99', ['peers 99']],
  ['nodes 24; nodes 99', ['nodes 99']],
  ['hearsay', ['hearsay']],
])('%s: %j is unknown', (source, unknown) => {
  expect(unknownSources(source, page)).toEqual(unknown)
})
