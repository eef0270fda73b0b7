export type { Examination, ExamineOptions, Finding, Verdict } from './doctor/contract.js'
export { examine, exitCodeOf } from './doctor/examine.js'
export { examinationSchema } from './doctor/schema.js'
