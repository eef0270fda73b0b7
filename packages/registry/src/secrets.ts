import { fold, isPlainObject, nearest } from '@authstate/spi/internal'
import { type JsonSchema, propertiesOf } from './json-schema.js'

/** What stands in the place of a secret. */
export const MASK = '***'

const SECRET_NAME =
  /pass|pwd|secret|token|credential|bearer|private|signature|dsn$|key(s|ring)?$|auth(orization)?$|cookies?$|salt$|pepper$|otp$|seed$|^pin$/i
/** One of these misspelt is as secret. */
const SECRET_WORDS = ['password', 'passphrase', 'secret', 'credentials', 'authorization', 'keyring']
/** Of an entry such as `{ name: 'password', value: … }` the names of the two. */
const ENTRY_NAMES = ['name', 'key', 'id']
const ENTRY_VALUES = ['value', 'values']

/** Whether a property of that name holds a secret, as far as a name can tell. */
export function soundsSecret(name: string): boolean {
  return SECRET_NAME.test(fold(name)) || SECRET_NAME.test(name) || nearest(name, SECRET_WORDS) !== undefined
}

/**
 * `value` as plain data without secrets: those that the schema marks, those whose names sound secret, at any depth, and
 * those within texts.
 *
 * @param schemas What the schema says of it: of a union each branch, and of a property of many objects each of them.
 * @param root The whole schema, which parts may refer to.
 */
export function masked(
  name: string,
  value: unknown,
  schemas: readonly JsonSchema[],
  root: JsonSchema | undefined,
  above: ReadonlySet<unknown> = new Set(),
): unknown {
  if (value === null || value === undefined) return value
  const said = schemas.flatMap((schema) => resolved(schema, root))
  if (said.some(isMarked) || soundsSecret(name)) return MASK
  if (typeof value === 'string') return withoutSecrets(value)
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'object') return `[${typeof value}]`
  if (above.has(value)) return '[circular]'
  const here = new Set(above).add(value)
  if (Array.isArray(value)) {
    // As of a header, the first item may be the name of the second.
    const isPair = value.length === 2 && typeof value[0] === 'string' && soundsSecret(value[0])
    return value.map((item, index) =>
      isPair && index === 1 ? MASK : masked('', item, itemSchemas(said, index), root, here),
    )
  }
  if (!isPlainObject(value)) return '[object]'
  const isEntry = ENTRY_NAMES.some((key) => typeof value[key] === 'string' && soundsSecret(value[key]))
  return Object.fromEntries(
    Object.entries(value).map(([key, below]) => [
      key,
      isEntry && ENTRY_VALUES.includes(key)
        ? MASK
        : masked(key, below, propertySchemas(said, key), root, here),
    ]),
  )
}

/** Marks of secrets: `writeOnly` and `format: 'password'` of JSON Schema and OpenAPI, and words that libraries let one add. */
function isMarked(schema: JsonSchema): boolean {
  return (
    schema['writeOnly'] === true ||
    schema['format'] === 'password' ||
    ['secret', 'sensitive', 'x-secret', 'x-sensitive'].some((word) => schema[word] === true)
  )
}

/** A schema with what it refers to, and the branches of its unions. */
function resolved(
  schema: JsonSchema,
  root: JsonSchema | undefined,
  seen = new Set<JsonSchema>(),
): JsonSchema[] {
  if (seen.has(schema)) return []
  seen.add(schema)
  const branches = ['anyOf', 'oneOf', 'allOf'].flatMap((word) => listOf(schema[word]))
  const target = referredTo(schema['$ref'], root)
  return [
    schema,
    ...[...branches, ...(target ? [target] : [])].flatMap((branch) => resolved(branch, root, seen)),
  ]
}

/** What `#/$defs/name` leads to, or `#`. */
function referredTo(reference: unknown, root: JsonSchema | undefined): JsonSchema | undefined {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined
  let found: unknown = root
  for (const step of reference.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    found = isPlainObject(found) && Object.hasOwn(found, name) ? found[name] : undefined
  }
  return isPlainObject(found) ? found : undefined
}

function propertySchemas(schemas: readonly JsonSchema[], name: string): JsonSchema[] {
  return schemas.flatMap((schema) => {
    const listed = propertiesOf(schema).get(name)
    if (listed !== undefined) return [listed]
    const patterns = isPlainObject(schema['patternProperties'])
      ? Object.values(schema['patternProperties'])
      : []
    return [schema['additionalProperties'], ...patterns].filter(isPlainObject)
  })
}

function itemSchemas(schemas: readonly JsonSchema[], index: number): JsonSchema[] {
  return schemas.flatMap((schema) => {
    const own = listOf(schema['prefixItems'])[index]
    return [own ?? schema['items']].filter(isPlainObject)
  })
}

const listOf = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isPlainObject) : [])

/** A text without the secrets that it can be seen to hold: of URLs, of `name=value`, of headers, and keys in PEM. */
export function withoutSecrets(text: string): string {
  return (
    text
      .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)/gs, MASK)
      // Up to the last `@`: a password pasted in without being escaped may hold any character, `@` and `/` included.
      .replace(/([a-z][a-z0-9+.-]*:\/\/[^:@/?#]*:).*@/gis, `$1${MASK}@`)
      // A name alone may be a token.
      .replace(/([a-z][a-z0-9+.-]*:\/\/)[^:@/?#\s]+@/gi, `$1${MASK}@`)
      .replace(/\b(bearer|basic|digest)\s+[^\s,;]+/gi, `$1 ${MASK}`)
      .replace(
        /(^|[?&#;,\s])([\w.-]*(?:pass|pwd|secret|token|key|credential|signature)[\w.-]*=)[^&#;,\s]*/gi,
        `$1$2${MASK}`,
      )
  )
}
