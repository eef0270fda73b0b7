/**
 * The command of the kit as a function, for commands of other packages.
 *
 * @module
 */
export { type CommandHost, runCli } from './cli/run-cli.js'
