// The API reference (npm run docs): a module per entry that a package publishes, a warning is an error.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Application, Comment, Converter, makeRecursiveVisitor, ReflectionKind, RendererEvent } from 'typedoc'
import { apiReport } from './tools/lib/api-report.mjs'
import { packageFolders } from './tools/lib/packages.mjs'

const root = import.meta.dirname
const manifests = packageFolders()
  .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) }))
  .filter((manifest) => !manifest.private)

/** Each source that is an entry, with the name it is imported by. */
const entries = manifests.flatMap(({ folder, name, description, exports }) =>
  Object.entries(exports).flatMap(([entry, target]) => {
    const source = target['@authstate/source']
    if (source === undefined) return []
    return [{ file: join(folder, source), name: name + entry.slice(1), description }]
  }),
)

/** Modules are called what they are imported as, not what their files are called. */
function nameModules(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      const path = module.sources?.[0]?.fileName
      const entry = entries.find(({ file }) => file === path)
      if (entry === undefined) throw new Error(`${path} is no entry of a package`)
      module.name = entry.name
      module.comment ??= new Comment([{ kind: 'text', text: `${entry.description}.` }])
    }
  })
}

/** Methods of these say by their names what they do: an ioredis client, the logger that everybody knows. */
const SELF_EXPLAINING = ['RedisClient', 'Logger']

/** What a package exports has a comment, and so has every method of it. A property is often told by name and type. */
function requireComments(app) {
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    for (const named of project.children.flatMap((module) => module.children ?? [])) {
      const methods = SELF_EXPLAINING.includes(named.name)
        ? []
        : named.getChildrenByKind(ReflectionKind.Method)
      for (const one of [named, ...methods.filter(isOwn)]) {
        if (!hasComment(one)) app.logger.validationWarning(`${one.getFriendlyFullName()} has no comment`)
      }
    }
  })
}

const isOwn = (method) => {
  const [signature] = method.signatures ?? []
  return !method.name.startsWith('[') && !signature?.implementationOf && !signature?.inheritedFrom
}

const hasComment = (one) =>
  one.isReference() ||
  one.hasComment() ||
  one.signatures?.some((signature) => signature.hasComment()) === true

/** Steps on the way to a type that is computed: an editor shows what they come to. */
const STEPS_OF_TYPES = ['VerbOf', 'PluginsOf', 'OneWay', 'PropertyOfWays', 'ConfigsOf', 'AnyOf']

const isStep = (type) =>
  STEPS_OF_TYPES.includes(type.qualifiedName) ||
  (type.package === 'authstate' && type.qualifiedName === 'RedisOptions')

/** A type of ours that something exported speaks of is exported, too. typedoc's own check knows one package only. */
function requireExports(app) {
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    const missing = new Map()
    const values = new Set() // of `typeof value`: the schemas behind the types of configurations
    for (const reflection of Object.values(project.reflections)) {
      const query = ({ queryType }) => values.add(queryType)
      const reference = (type) => {
        const isOurs = manifests.some(({ name }) => name === type.package)
        if (!isOurs || isStep(type) || values.has(type) || type.reflection || type.isIntentionallyBroken())
          return
        missing.set(`${type.package} ${type.qualifiedName}`, reflection.getFriendlyFullName())
      }
      reflection.type?.visit(makeRecursiveVisitor({ query, reference }))
    }
    for (const [name, by] of missing) app.logger.validationWarning(`${name} is not exported; ${by} needs it`)
  })
}

/** Beside the pages: what each entry exports, as text, which `npm run api` compares with the released version. */
function writeApi(app) {
  app.renderer.on(RendererEvent.END, ({ project, outputDirectory }) => {
    const folder = join(outputDirectory, 'api')
    mkdirSync(folder, { recursive: true })
    for (const module of project.children ?? []) {
      const file = `${module.name.replace('@', '').replaceAll('/', '-')}.txt`
      writeFileSync(
        join(folder, file),
        apiReport(module, ({ kind }) => ReflectionKind[kind]),
      )
    }
  })
}

/** A property of a schema is declared once in our sources, and seen by typedoc in each type that valibot derives from it. */
function passOverDerivedDeclarations(app) {
  const { logger } = app
  const warn = logger.warn.bind(logger)
  logger.warn = (text, ...context) => {
    if (!/ has multiple declarations with a comment\. /.test(String(text))) warn(text, ...context)
  }
}

/** Where there is no host that shows the sources, as in a copy or a clone of a folder, links lead to the files themselves. */
const origin = spawnSync('git', ['remote', 'get-url', 'origin'], { cwd: root, encoding: 'utf8' }).stdout ?? ''
const links = /^(https?:|ssh:|git@)/.test(origin)
  ? {}
  : { disableGit: true, sourceLinkTemplate: `${pathToFileURL(join(root, 'packages'))}/{path}#L{line}` }

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'authstate',
  readme: 'none',
  entryPoints: entries.map(({ file }) => file),
  tsconfig: 'tsconfig.reference.json',
  out: 'reference',
  ...links,
  plugin: [passOverDerivedDeclarations, nameModules, requireComments, requireExports, writeApi],
  skipErrorChecking: true, // `types` of npm run check has done it
  treatWarningsAsErrors: true,
  externalSymbolLinkMappings: {
    '@types/node': {
      'EventEmitter.defaultMaxListeners':
        'https://nodejs.org/docs/latest-v20.x/api/events.html#eventsdefaultmaxlisteners',
    },
  },
  validation: { notExported: false, invalidLink: true, invalidPath: true },
}
