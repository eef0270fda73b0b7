import { defineConfig } from 'tsup'
import base, { entriesOf } from '../../tsup.base.js'

export default defineConfig({ ...base, entry: entriesOf(import.meta.url) })
