/** The pages that the site shows, by their path in the repository. */
export function sitePages(): ReadonlyMap<string, string>
