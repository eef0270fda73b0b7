import ts from 'typescript'

/** Path from the root of the repository, with `/`, to text. */
export type Files = ReadonlyMap<string, string>

/** What `npm run sync` writes whole. It names every SPI, and nobody keeps it by hand. */
const IS_WRITTEN = /^\/\/ Written by `npm run sync`\./

/** Texts of a program without its comments: of modules, and of every other literal. */
function literalsOf(
  path: string,
  text: string,
): { readonly specifiers: string[]; readonly others: string[] } {
  const specifiers: string[] = []
  const others: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      (node.text.startsWith('@authstate/') ? specifiers : others).push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true))
  return { specifiers, others }
}

/** Packages of ours that a manifest depends on. */
function dependenciesOf(files: Files, folder: string): string[] {
  const manifest = JSON.parse(files.get(`${folder}/package.json`) ?? '{}') as Record<string, object>
  return Object.keys({ ...manifest['dependencies'], ...manifest['peerDependencies'] })
}

/**
 * The files outside of the package of an SPI that name it: as an import, or as a literal. Comments do not count. A name that is a
 * word of Redis as well, such as `cluster`, counts as an import only.
 *
 * A package that calls the contract of an SPI depends on it in its manifest, and its files do not count: it is a user, and the
 * architecture says which may be. The front door is none of these.
 */
export function filesThatName(files: Files, spi: string): string[] {
  const isWord = !spi.includes('-')
  const quoted = new RegExp(`(^|['"\`\\s])${spi}($|['"\`\\s/])`)
  const specifier = new RegExp(`^@authstate/${spi}(/|$)`)
  return [...files]
    .filter(([path, text]) => {
      if (!text.includes(spi)) return false
      const folder = /^packages\/[^/]+/.exec(path)?.[0] ?? ''
      if (folder === `packages/${spi}` || IS_WRITTEN.test(text)) return false
      if (folder !== 'packages/authstate' && dependenciesOf(files, folder).includes(`@authstate/${spi}`))
        return false
      const { specifiers, others } = literalsOf(path, path.endsWith('.json') ? `(${text})` : text)
      return (
        specifiers.some((name) => specifier.test(name)) ||
        (!isWord && others.some((text) => quoted.test(text)))
      )
    })
    .map(([path]) => path)
}
