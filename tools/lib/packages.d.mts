export declare function packageFolders(from?: string): string[]
