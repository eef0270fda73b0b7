export type { ActionName, ActionSubject, ConsoleAction } from './console-action.js'
export { createConsole } from './create-console.js'
export type { Operator, Right, RightName, Rights } from './operator.js'
export type { Console, ConsoleOptions } from './options.js'
