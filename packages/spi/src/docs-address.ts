/**
 * Where the pages about errors are read. The name of an error's page follows it. `.example` is a name that nobody can own: a
 * release is refused until the address of the site stands here.
 */
export const ERRORS_ADDRESS = 'https://authstate.example/errors/'
