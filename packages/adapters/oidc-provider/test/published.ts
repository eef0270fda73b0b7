// oidc-provider as it is published, under the Node that it asks for: both come from npm, into a folder outside the workspace.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { nodeOf, npmFolder } from '../../../../tools/lib/npm-folder.mjs'
import { bundle } from '../../../../tools/testing/bundle.js'
import type { Capability } from '../../../../tools/testing/capabilities.js'
import { type Child, startChild } from '../../../../tools/testing/child.js'

const PACKAGE = 'oidc-provider@9.13.3'

const installed = await Promise.all([nodeOf('22'), npmFolder('oidc-provider', [PACKAGE])]).catch(
  (error: Error) => error,
)

/** Whether npm gave what is needed. */
export const published: Capability = {
  name: 'npm',
  available: !(installed instanceof Error),
  reason:
    installed instanceof Error ? `needs node@22 and ${PACKAGE}: ${installed.message.slice(0, 200)}` : '',
}

/** Starts a program beside the packages, so that it finds them. It ends with the test. */
export function startPublished(program: string, env: Readonly<Record<string, string>> = {}): Child {
  if (installed instanceof Error) throw installed
  const [node, folder] = installed
  const [bundled = ''] = bundle(program)
  const place = mkdtempSync(join(folder, 'program-'))
  onTestFinished(() => rmSync(place, { recursive: true, force: true }))
  cpSync(dirname(bundled), place, { recursive: true })
  return startChild(join(place, basename(bundled)), [], {
    node,
    env: { ...process.env, ...env },
  })
}
