/** Where the library writes. The shape of pino, bunyan and fastify's logger: fields first, then the message. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Writes warnings and errors to standard error, and nothing else. What is used when no logger is given. */
export const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (fields, message) => console.warn(`authstate: ${message}`, fields),
  error: (fields, message) => console.error(`authstate: ${message}`, fields),
}
