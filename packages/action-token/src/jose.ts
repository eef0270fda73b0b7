/** What is used of JOSE. */
export type Jose = Pick<typeof import('jose'), 'CompactSign' | 'compactVerify' | 'errors'>

declare const __filename: string | undefined

let loading: Promise<Jose> | undefined

/**
 * JOSE, loaded with the first signed token that is made or read: it is an ES module, and an application that is CommonJS must
 * be able to load this package without it.
 */
export function loadJose(): Promise<Jose> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<Jose> {
  try {
    return await import('jose')
  } catch (error) {
    // A test runner such as Jest runs CommonJS in a context of its own, where import() is refused. Node's own require can.
    const file = typeof __filename === 'string' ? __filename : undefined
    const node = process.getBuiltinModule?.('node:module')
    if (file === undefined || node === undefined) throw error
    return node.createRequire(file)('jose') as Jose
  }
}
