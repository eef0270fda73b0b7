// Flags with which a Node process runs the packages from source: node ...sourceFlags file.ts
const here = (name) => new URL(name, import.meta.url).href

export const sourceFlags = [
  '--conditions=@authstate/source',
  `--import=${import.meta.resolve('tsx')}`,
  `--import=${here('./lua-loader.mjs')}`,
]
