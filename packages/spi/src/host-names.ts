const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const NAME = /* @__PURE__ */ new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`)

/**
 * Whether a text is the name of a host in lower-case ASCII: 1 to 253 characters, labels of 1 to 63, no dot at the end. An
 * address is one as well, as far as its characters go.
 */
export const isHostName = (text: string): boolean => NAME.test(text)

/** Whether a text can be compiled by {@link hostPattern}. */
export const isHostPattern = (text: string): boolean => isHostName(text.toLowerCase().replaceAll('*', 'a'))

/** Compiles `'app-*.example.com'`: `*` stands for any characters within one label, upper and lower case are the same. */
export function hostPattern(text: string): (host: string) => boolean {
  const source = text
    .toLowerCase()
    .split('*')
    .map((part) => part.replaceAll('.', '\\.'))
    .join('[a-z0-9_-]*')
  const pattern = new RegExp(`^${source}$`)
  return (host) => pattern.test(host.toLowerCase())
}
