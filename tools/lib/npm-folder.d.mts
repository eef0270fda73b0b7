export declare function npmFolder(name: string, packages: readonly string[]): Promise<string>
export declare function nodeOf(version: string): Promise<string>
