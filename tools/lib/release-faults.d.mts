export interface Release {
  readonly packages: readonly {
    readonly manifest: {
      readonly name: string
      readonly version: string
      readonly publishConfig?: { readonly access?: string }
      readonly repository?: { readonly url?: string }
    }
  }[]
  readonly changelog: string
  readonly address: string
  readonly changesets: readonly string[]
  readonly changed: readonly string[]
}

export declare function releaseFaults(release: Release, isDry: boolean): string[]
