export { EXIT, type ExitCode } from './exit-codes.js'
export { run } from './run.js'
export type { Output, Surroundings } from './surroundings.js'
export { terminal } from './terminal.js'
