/** The absolute path of a Valkey server: of this machine, or Debian's, unpacked. Throws NoValkey, which says why there is none. */
export function findValkey(): Promise<string>
export const NOT_TO_BE_HAD: number
export class NoValkey extends Error {}
