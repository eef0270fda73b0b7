export interface Changeset {
  readonly file: string
  readonly names: readonly string[]
  readonly bump: 'none' | 'patch' | 'minor' | 'major'
  readonly words: string
}
export function parseChangeset(file: string, text: string): Changeset
export function readChangesets(folder: string): Changeset[]
export function nextVersion(
  version: string,
  changesets: readonly Pick<Changeset, 'bump'>[],
  options?: { readonly first?: boolean },
): string
export function releasedChangelog(page: string, version: string, changesets: readonly Changeset[]): string
