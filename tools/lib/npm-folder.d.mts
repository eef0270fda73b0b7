export declare function npmFolder(name: string, packages: readonly string[]): Promise<string>
export declare function nodeIn(folder: string): string
