import { createHash } from 'node:crypto'
import { script } from './script.js'
import { style } from './style.js'

/** A file of the console's own, under a name that changes with it. */
export interface Asset {
  readonly path: string
  readonly type: string
  readonly text: string
}

function asset(name: string, end: string, type: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return { path: `assets/${name}.${hash}.${end}`, type, text }
}

export const STYLE = asset('console', 'css', 'text/css; charset=utf-8', style)
export const SCRIPT = asset('console', 'js', 'text/javascript; charset=utf-8', script)
export const ASSETS: readonly Asset[] = [STYLE, SCRIPT]
