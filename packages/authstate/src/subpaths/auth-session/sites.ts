// Written by `npm run sync`.
export * from '@authstate/auth-session/sites'
