import { defineConfig } from 'tsup'
import base from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: {
    index: 'src/index.ts',
    redis: 'src/redis.ts',
    service: 'src/service.ts',
    store: 'src/for-stores.ts',
    conformance: 'src/conformance.ts',
  },
})
