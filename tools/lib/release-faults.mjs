// What would make a release that users cannot trust, or cannot read about. Each fault is a sentence that says what to do.

/** The address of the docs site while none is chosen, in packages/spi/src/docs-address.ts. */
const PLACEHOLDER = /authstate\.example/

/**
 * @param state `packages` with their manifests; the texts `changelog` and `address`; names of files in `changesets`; lines of `git
 *   status` in `changed`
 * @param isDry Nothing is sent: what only matters to readers of the registry may wait.
 */
export function releaseFaults({ packages, changelog, address, changesets, changed }, isDry) {
  const versions = [...new Set(packages.map(({ manifest }) => manifest.version))]
  const [version] = versions
  const always = [
    versions.length > 1 &&
      `packages have the versions ${versions.join(', ')}: give them one, with npm run release:version`,
    !new RegExp(`^## ${version?.replaceAll('.', '\\.')}$`, 'm').test(changelog) &&
      `CHANGELOG.md has no section "## ${version}": write it, or close it with npm run release:version`,
    ...packages.map(
      ({ manifest }) =>
        manifest.publishConfig?.access !== 'public' &&
        `${manifest.name}: set publishConfig.access to "public"`,
    ),
  ]
  const homeless = packages
    .map(({ manifest }) => manifest)
    .filter(({ repository }) => repository?.url === undefined)
    .map(({ name }) => name)
  const ofPublishing = [
    changed.length > 0 &&
      `the working tree has changes that are not committed, such as ${changed[0]}: commit them, or a release is not what the repository holds`,
    changesets.length > 0 &&
      `.changeset/${changesets[0]} is not released: run npm run release:version, and commit the new version`,
    PLACEHOLDER.test(address) &&
      'packages/spi/src/docs-address.ts still has a placeholder: write the address of the docs site, to which errors link',
    // The signature names the repository, and npm compares it with the manifest.
    homeless.length > 0 &&
      `${homeless.join(', ')}: add "repository" with "url" and "directory", which the provenance names`,
  ]
  return [...always, ...(isDry ? [] : ofPublishing)].filter((fault) => fault !== false)
}
