export const STEPS: readonly string[]
export function linkStates(): string
