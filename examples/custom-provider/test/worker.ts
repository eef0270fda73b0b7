// One of several processes on one SQLite file: says that it is ready, does its work when told to go, and says what it got.
import { createAuthState } from 'authstate'
import { sqliteActionTokens } from '../src/sqlite-action-tokens.js'
import { sqliteLoginFailures } from '../src/sqlite-login-failures.js'

const [file, each] = process.argv.slice(2)
const state = await createAuthState({
  providers: [sqliteActionTokens(), sqliteLoginFailures()],
  spi: {
    'action-token': { provider: 'sqlite', file, busyTimeoutMs: '1m' },
    'login-failure': { provider: 'sqlite', file, busyTimeoutMs: '1m' },
  },
  realms: () => ({ bruteForce: { enabled: true, failureFactor: 1_000_000, quickLoginCheckMs: 0 } }),
})
const { actionTokens, loginFailures } = state

console.log('ready')
await new Promise((go) => process.stdin.once('data', go))

const consumed: string[] = []
const counts: number[] = []
for (let n = 0; n < Number(each); n++) {
  const key = `code-${n}`
  await actionTokens.putIfAbsent('realm', 'code', key, { lifespanMs: 600_000 })
  if ((await actionTokens.consume('realm', 'code', key)).outcome === 'consumed') consumed.push(key)
  counts.push((await loginFailures.recordFailure('realm', 'alice')).numFailures)
}
console.log(JSON.stringify({ consumed, counts }))
await state.close()
process.stdin.destroy()
