// Written by `npm run sync`.
export * from '@authstate/user-session/sites'
