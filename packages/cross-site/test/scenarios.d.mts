export declare const SCENARIOS: Readonly<Record<number, string>>
export declare function casesOf(root: string): ReadonlyMap<number, readonly string[]>
export declare function scenarioLines(root: string): readonly string[]
