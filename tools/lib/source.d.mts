/** Flags with which a child process runs the packages from source: `spawn(process.execPath, [...sourceFlags, 'x.ts'])`. */
export const sourceFlags: readonly string[]
