import { createAuthState } from 'authstate'
import { describe, onTestFinished } from 'vitest'
import { describeDevices } from '../../../tools/testing/devices.js'
import { createApp } from '../src/app.js'

describe('fastify-login', () => {
  describeDevices(async () => {
    const state = await createAuthState()
    const app = await createApp(state, 'a secret of these tests that is long enough')
    onTestFinished(async () => {
      await app.close()
      await state.close()
    })
    return app.listen({ port: 0, host: '127.0.0.1' })
  })
})
