// Both providers behind the front door: a link in a mail is opened on the second start of the server, once.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthState } from 'authstate'
import { sqliteActionTokens } from './sqlite-action-tokens.js'
import { trustedDeviceSpi } from './trusted-device/contract.js'
import { memoryTrustedDevices } from './trusted-device/memory.js'

const MINUTE_MS = 60_000

const folder = mkdtempSync(join(tmpdir(), 'custom-provider-'))

const start = () =>
  createAuthState({
    providers: [sqliteActionTokens(), memoryTrustedDevices()],
    spi: {
      'action-token': { provider: 'sqlite', file: join(folder, 'tokens.db') },
      'trusted-device': { maxDevices: 3 },
    },
    keyring: { current: 'a', keys: { a: 'thirty-two bytes that nobody could guess' } },
  })

const before = await start()
const link = await before.actionTokens.issueActionToken('acme', {
  userId: 'ada',
  actionId: 'verify-email',
  lifespanMs: 10 * MINUTE_MS,
})
await before.close()

const after = await start()
const clicks = [1, 2].map(() => after.actionTokens.consumeActionToken('acme', link, 'verify-email'))
// Either may come first.
const outcomes = (await Promise.all(clicks)).map(({ outcome }) => outcome).sort()
console.log(`clicks: ${outcomes.join(', ')}`)

const devices = after.get(trustedDeviceSpi)
await devices.trust('acme', 'ada', 'phone', 60 * MINUTE_MS)
console.log(`second factor on the phone: ${(await devices.isTrusted('acme', 'ada', 'phone')) ? 'no' : 'yes'}`)
console.log(`second factor elsewhere: ${(await devices.isTrusted('acme', 'ada', 'laptop')) ? 'no' : 'yes'}`)
await after.close()

rmSync(folder, { recursive: true, force: true })
