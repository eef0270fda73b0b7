/**
 * Where the pages about errors are read. The name of an error's page follows it. No person can own
 * a name below `.example`: a release is refused until this is the address of the site.
 */
export const ERRORS_ADDRESS = 'https://authstate.example/errors/'
