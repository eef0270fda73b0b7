import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import type { Block } from './markdown.js'
import { root } from './tracked.js'

/** Whose readers have dependencies of their own: read as a test of the example or the package that shows the same. */
const OF_ANOTHER: Readonly<Record<string, string>> = {
  'docs/writing-a-provider.md': 'examples/custom-provider',
  'docs/telemetry.md': 'packages/telemetry',
  'docs/console.md': 'packages/console',
}

/** The adapter that a block imports, whose readers have the framework it is for. */
function adapterOf(code: string): string | undefined {
  const names = [...code.matchAll(/'@authstate\/([^/']+)/g)].map(([, name]) => `packages/adapters/${name}`)
  return names.find((folder) => existsSync(join(root, folder)))
}

/** A README's block is read as a test of its package would be; of every other page as a test of the adapter, or of the front door. */
const folderOf = ({ path, code }: Block): string =>
  OF_ANOTHER[path] ??
  /^(packages\/adapters|packages|examples)\/[^/]+(?=\/)/.exec(path)?.[0] ??
  adapterOf(code) ??
  'packages/authstate'

/** Published names to sources, so that a page may also import packages its folder does not depend on. */
function sourcePaths(manifests: Iterable<string>): Record<string, string[]> {
  const pairs = [...manifests].flatMap((path) => {
    const { name, exports } = JSON.parse(readFileSync(join(root, path), 'utf8')) as {
      name: string
      exports?: Record<string, Record<string, string> | string>
    }
    return Object.entries(exports ?? {}).flatMap(([entry, target]) => {
      const source = typeof target === 'string' ? undefined : target['@authstate/source']
      return source === undefined ? [] : [{ [name + entry.slice(1)]: [join(root, path, '..', source)] }]
    })
  })
  return Object.assign({}, ...pairs)
}

function compilerOptions(manifests: Iterable<string>): ts.CompilerOptions {
  const file = join(root, 'tsconfig.json')
  const { config } = ts.readConfigFile(file, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: ['lua.d.ts'] },
    ts.sys,
    root,
  )
  return { ...options, noEmit: true, paths: sourcePaths(manifests) }
}

/** Type-checks blocks as if each were a file of its package. Answers `page:line message` for every error. */
export function compileErrors(blocks: readonly Block[], manifests: Iterable<string>): string[] {
  const options = compilerOptions(manifests)
  const host = ts.createCompilerHost(options, true)
  const byFile = new Map(blocks.map((b, i) => [join(root, folderOf(b), 'test', `page-block-${i}.ts`), b]))
  const { readFile, fileExists, getSourceFile } = host
  host.fileExists = (file) => byFile.has(file) || fileExists.call(host, file)
  host.readFile = (file) => byFile.get(file)?.code ?? readFile.call(host, file)
  host.getSourceFile = (file, ...rest) => {
    const block = byFile.get(file)
    // a block without an import is a module all the same
    const text = block && `${block.code}\nexport {}\n`
    if (text === undefined) return getSourceFile.call(host, file, ...rest)
    return ts.createSourceFile(
      file,
      text,
      { languageVersion: ts.ScriptTarget.ES2022, impliedNodeFormat: ts.ModuleKind.ESNext },
      true,
    )
  }
  const program = ts.createProgram([...byFile.keys(), join(root, 'lua.d.ts')], options, host)
  return [...byFile].flatMap(([file, { path, line }]) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (d) => {
        const at = source?.getLineAndCharacterOfPosition(d.start ?? 0).line ?? 0
        return `${path}:${line + 1 + at} ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`
      },
    )
  })
}
