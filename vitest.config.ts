import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { defaultServerConditions, type Plugin } from 'vite'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { testedFolders } from './tools/lib/packages.mjs'

// Workspace packages resolve to their TypeScript source through this condition, so tests need no build.
// Only `ssr.resolve.conditions` counts for node tests; `resolve.conditions` alone changes nothing.
// Node knows no `module`: it names what is for bundlers, of which some cannot be imported.
const conditions = ['@authstate/source', ...defaultServerConditions.filter((name) => name !== 'module')]

/** Vite's counterpart of esbuild's text loader: `import lua from './x.lua'` gives the source. */
const luaAsText: Plugin = {
  name: 'lua-as-text',
  enforce: 'pre',
  load: (id) => (id.endsWith('.lua') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : null),
}

/** Projects whose files replace a module, or instrument one while it is loaded, which works once in a process. */
const ALONE = ['registry', 'telemetry']

// Not `extends: true`: every project would then inherit globalSetup and start its own Redis.
function project(name: string, root: string): TestProjectInlineConfiguration {
  return {
    plugins: [luaAsText],
    ssr: { resolve: { conditions } },
    test: {
      name,
      root,
      environment: 'node',
      // The files of a project share a process and what it has loaded: loading everything anew for each file took a third of all
      // the time. A file leaves behind what it found: no listener, no variable, no invented clock.
      isolate: ALONE.includes(name),
      include: ['**/*.test.ts'],
      exclude: ['**/node_modules/**'],
      // For what hangs, not for what is slow: a machine that others use may be four times slower than it was.
      testTimeout: 60_000,
      hookTimeout: 60_000,
      expect: { poll: { timeout: 20_000 } },
    },
  }
}

export default defineConfig({
  test: {
    globalSetup: ['./tools/servers/redis.global.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts', 'packages/adapters/*/src/**/*.ts'],
      reporter: ['text', 'json-summary', 'lcov'],
    },
    projects: [
      ...testedFolders().map((folder) => project(basename(folder), `./${folder}/test`)),
      project('house', './test'),
    ],
  },
})
