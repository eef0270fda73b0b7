export type {
  ActionName,
  ActionSubject,
  AuditedAction,
  AuditedRecord,
  AuditedResult,
  AuditLine,
  AuditQuestion,
  AuditTrail,
  ConsoleAction,
} from './audit.js'
export { createConsole } from './create-console.js'
export type { Operator, Right, RightName, Rights } from './operator.js'
export type { Console, ConsoleOptions } from './options.js'
