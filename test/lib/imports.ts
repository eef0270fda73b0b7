import ts from 'typescript'

export interface Import {
  readonly specifier: string
  readonly line: number
  /** `type`: erased by the compiler. `dynamic`: `import()` or `require()`, loaded when the line is reached. */
  readonly kind: 'static' | 'dynamic' | 'type'
}

const isTypeOnly = (node: ts.ImportDeclaration | ts.ExportDeclaration): boolean =>
  ts.isImportDeclaration(node) ? node.importClause?.isTypeOnly === true : node.isTypeOnly

/** What was read, by text: several rules ask for the imports of each file. */
const known = new Map<string, readonly Import[]>()

/** Every import of a TypeScript source, `export … from`, `import()` and type queries included. */
export function importsOf(file: string, text: string): readonly Import[] {
  const found = known.get(text) ?? readImports(file, text)
  known.set(text, found)
  return found
}

function readImports(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: Import[] = []
  const add = (kind: Import['kind'], literal: ts.Node | undefined): void => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return
    const line = source.getLineAndCharacterOfPosition(literal.getStart()).line + 1
    found.push({ specifier: literal.text, line, kind })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      add(isTypeOnly(node) ? 'type' : 'static', node.moduleSpecifier)
    } else if (ts.isCallExpression(node)) {
      const { expression } = node
      const isImport = expression.kind === ts.SyntaxKind.ImportKeyword
      const isRequire = ts.isIdentifier(expression) && expression.text === 'require'
      if (isImport || isRequire) add('dynamic', node.arguments[0])
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add('type', node.argument.literal)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
