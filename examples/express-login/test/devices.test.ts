import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createAuthState } from 'authstate'
import { describe, onTestFinished } from 'vitest'
import { describeDevices } from '../../../tools/testing/devices.js'
import { createApp } from '../src/app.js'

describe('express-login', () => {
  describeDevices(async () => {
    const state = await createAuthState()
    const server = createApp(state, 'a secret of these tests that is long enough').listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(async () => {
      server.closeAllConnections()
      server.close()
      await state.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
})
