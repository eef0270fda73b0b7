import type { Changeset } from './changesets.mjs'

export interface ApiDifference {
  readonly file: string
  readonly gone: readonly string[]
  readonly added: readonly string[]
}
export function compareReports(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ApiDifference[]
export function changesetFault(
  differences: readonly ApiDifference[],
  changesets: readonly Pick<Changeset, 'bump'>[],
  version: string,
): string | undefined
