export declare function table(rows: readonly (readonly (string | number)[])[]): string
