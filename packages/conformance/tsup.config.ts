import { defineConfig } from 'tsup'
import base, { entriesOf } from '../../tsup.base.js'

export default defineConfig([
  { ...base, entry: entriesOf(import.meta.url) },
  // The command is a program of its own: nobody imports it.
  { ...base, entry: ['src/cli.ts'], format: ['esm'], clean: false },
])
