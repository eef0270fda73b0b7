export interface Section {
  readonly title: string
  readonly pages: readonly string[]
}
export const SECTIONS: readonly Section[]
/** Where a page of the repository is on the site, without `.md`. */
export function sitePathOf(path: string): string | undefined
/** The sections with all pages of the repository that the site shows. */
export function sectionsOf(paths: readonly string[]): readonly Section[]
