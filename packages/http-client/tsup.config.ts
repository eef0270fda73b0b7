import { defineConfig } from 'tsup'
import base from '../../tsup.base.js'

export default defineConfig({
  ...base,
  entry: {
    index: 'src/index.ts',
    transport: 'src/for-transports.ts',
    conformance: 'src/conformance.ts',
    service: 'src/service.ts',
  },
})
