export interface Finding {
  readonly rule: string
  readonly at: number
  readonly text: string
  readonly instead: string
}
export const MOST_WORDS: number
export function findingsIn(prose: string): Finding[]
export function proseOfPage(text: string): string
export function proseOfSource(text: string): string
export function lineAt(text: string, at: number): number
