// node --import=./tools/lib/lua-loader.mjs: `import lua from './x.lua'` gives the source, as in the tests and the build.
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

export async function load(url, context, next) {
  if (!url.endsWith('.lua')) return next(url, context)
  const source = `export default ${JSON.stringify(await readFile(new URL(url), 'utf8'))}`
  return { format: 'module', source, shortCircuit: true }
}

// The hooks thread loads this file as well, for `load`.
if (isMainThread) register(import.meta.url)
