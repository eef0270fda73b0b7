// What the packages export, as text: one line for each name, member and signature, so that two versions can be compared by lines.

const join = (items, text, by = ', ') => (items ?? []).map(text).join(by)
const generics = (parameters) =>
  parameters?.length
    ? `<${join(parameters, (p) => p.name + (p.type ? ` extends ${typeText(p.type)}` : ''))}>`
    : ''

const parameterText = (p) =>
  `${p.flags.isRest ? '...' : ''}${p.name}${p.flags.isOptional || p.defaultValue !== undefined ? '?' : ''}: ${typeText(p.type)}`

const signatureText = (signature, arrow = ': ') =>
  `${generics(signature.typeParameters)}(${join(signature.parameters, parameterText)})${arrow}${typeText(signature.type)}`

/** What is written between braces: the members of an object type. */
function membersText({ children, signatures, indexSignatures }) {
  const lone = signatures?.length === 1 && !children?.length
  if (lone) return `(${signatureText(signatures[0], ' => ')})`
  const members = [
    ...(signatures ?? []).map((signature) => signatureText(signature)),
    ...(indexSignatures ?? []).map((s) => `[${join(s.parameters, parameterText)}]: ${typeText(s.type)}`),
    ...(children ?? []).flatMap(memberTexts).sort(),
  ]
  return `{ ${members.join('; ')} }`
}

const TEXTS = {
  array: (type) => `${typeText(type.elementType)}[]`,
  conditional: (type) =>
    `${typeText(type.checkType)} extends ${typeText(type.extendsType)} ? ${typeText(type.trueType)} : ${typeText(type.falseType)}`,
  indexedAccess: (type) => `${typeText(type.objectType)}[${typeText(type.indexType)}]`,
  intersection: (type) => join(type.types, typeText, ' & '),
  mapped: (type) =>
    `{ [${type.parameter} in ${typeText(type.parameterType)}]: ${typeText(type.templateType)} }`,
  namedTupleMember: (type) => `${type.name}${type.isOptional ? '?' : ''}: ${typeText(type.element)}`,
  optional: (type) => `${typeText(type.elementType)}?`,
  query: (type) => `typeof ${type.queryType.name}`,
  reference: (type) =>
    type.name + (type.typeArguments?.length ? `<${join(type.typeArguments, typeText)}>` : ''),
  reflection: (type) => membersText(type.declaration),
  rest: (type) => `...${typeText(type.elementType)}`,
  tuple: (type) => `[${join(type.elements, typeText)}]`,
  typeOperator: (type) => `${type.operator} ${typeText(type.target)}`,
  union: (type) => [...type.types].map(typeText).sort().join(' | '),
}

function typeText(type) {
  if (!type) return 'unknown'
  return TEXTS[type.type]?.(type) ?? type.toString()
}

/** A member of an interface, a class or an object type: a line for each of its signatures. */
function memberTexts(member) {
  const flags = `${member.flags.isStatic ? 'static ' : ''}${member.flags.isReadonly ? 'readonly ' : ''}`
  const name = `${flags}${member.name}${member.flags.isOptional ? '?' : ''}`
  if (member.flags.isPrivate || member.flags.isProtected) return []
  if (member.signatures?.length) return member.signatures.map((signature) => name + signatureText(signature))
  if (member.getSignature) return [`${name}: ${typeText(member.getSignature.type)}`]
  return [`${name}: ${typeText(member.type)}`]
}

/** The lines of one exported name. */
function exportLines(reflection, kindOf) {
  const kind = kindOf(reflection)
  const name = `${kind} ${reflection.name}`
  if (reflection.isReference?.()) return [name]
  if (kind === 'Function') return reflection.signatures.map((signature) => name + signatureText(signature))
  if (kind === 'TypeAlias')
    return [`${name}${generics(reflection.typeParameters)} = ${typeText(reflection.type)}`]
  if (kind === 'Variable') return [`${name}: ${typeText(reflection.type)}`]
  const parents = join(reflection.extendedTypes, typeText)
  return [
    `${name}${generics(reflection.typeParameters)}${parents === '' ? '' : ` extends ${parents}`}`,
    ...(reflection.children ?? []).flatMap(memberTexts).map((member) => `${reflection.name}.${member}`),
    ...(reflection.signatures ?? []).map((signature) => `${reflection.name}${signatureText(signature)}`),
  ]
}

/** The API of a module as sorted lines. `kindOf` says what a reflection is. */
export const apiReport = (module, kindOf) =>
  `${(module.children ?? [])
    .flatMap((reflection) => exportLines(reflection, kindOf))
    .sort()
    .join('\n')}\n`

/** Lines that one version has and the other has not, by file. */
export function compareReports(before, after) {
  const files = [...new Set([...before.keys(), ...after.keys()])].sort()
  return files.flatMap((file) => {
    const linesOf = (reports) => (reports.get(file) ?? '').split('\n').filter((line) => line !== '')
    const [old, now] = [new Set(linesOf(before)), new Set(linesOf(after))]
    const gone = [...old].filter((line) => !now.has(line))
    const added = [...now].filter((line) => !old.has(line))
    return gone.length + added.length === 0 ? [] : [{ file, gone, added }]
  })
}

/** What is wrong with the changesets, where the API of the released version is another than that of now. */
export function changesetFault(differences, changesets, version) {
  if (differences.length === 0) return undefined
  if (changesets.every(({ bump }) => bump === 'none'))
    return 'the API has changed since the release: add a changeset (npm run changeset)'
  const wanted = version.startsWith('0.') ? ['minor', 'major'] : ['major']
  const breaks = differences.some(({ gone }) => gone.length > 0)
  if (breaks && !changesets.some(({ bump }) => wanted.includes(bump)))
    return `the API has lost or changed something since the release: a changeset must be ${wanted.join(' or ')}`
  return undefined
}
