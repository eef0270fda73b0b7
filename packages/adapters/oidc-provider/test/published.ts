// oidc-provider as it is published, under the Node that it asks for: both come from npm, into a folder outside the workspace.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { nodeIn, npmFolder } from '../../../../tools/lib/npm-folder.mjs'
import { bundle } from '../../../../tools/testing/bundle.js'
import type { Capability } from '../../../../tools/testing/capabilities.js'
import { type Child, startChild } from '../../../../tools/testing/child.js'

const PACKAGES = ['node@22', 'oidc-provider@9.13.3']

const folder = await npmFolder('oidc-provider', PACKAGES).catch((error: Error) => error)

/** Whether npm gave what is needed. */
export const published: Capability = {
  name: 'npm',
  available: typeof folder === 'string',
  reason:
    typeof folder === 'string' ? '' : `${PACKAGES.join(' and ')} from npm: ${folder.message.slice(0, 200)}`,
}

/** Starts a program beside the packages, so that it finds them. It ends with the test. */
export function startPublished(program: string, env: Readonly<Record<string, string>> = {}): Child {
  if (typeof folder !== 'string') throw folder
  const [bundled = ''] = bundle(program)
  const place = mkdtempSync(join(folder, 'program-'))
  onTestFinished(() => rmSync(place, { recursive: true, force: true }))
  cpSync(dirname(bundled), place, { recursive: true })
  return startChild(join(place, basename(bundled)), [], {
    node: nodeIn(folder),
    env: { ...process.env, ...env },
  })
}
