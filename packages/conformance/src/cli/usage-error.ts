/** What the caller of the command can put right: a wrong argument, a module that cannot be used. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
