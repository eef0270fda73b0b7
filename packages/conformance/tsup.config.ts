import { defineConfig } from 'tsup'
import base from '../../tsup.base.js'

export default defineConfig([
  { ...base, entry: ['src/index.ts'] },
  // The command is a program of its own: nobody imports it.
  { ...base, entry: ['src/cli.ts'], format: ['esm'], dts: false, clean: false },
])
