/** What is used of JOSE. */
export type Jose = typeof import('./jose-part.js')

let loading: Promise<Jose> | undefined

/**
 * JOSE, loaded with the first message that is received.
 *
 * It is an ES module, and the build puts the parts that are used into this package. CommonJS cannot
 * load it in a test runner such as Jest, which refuses `import()` and Node's own `require` of an ES
 * module.
 */
export function loadJose(): Promise<Jose> {
  loading ??= import('./jose-part.js').catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}
