export declare function packageFolders(from?: string): string[]
export declare function testedFolders(from?: string): string[]
