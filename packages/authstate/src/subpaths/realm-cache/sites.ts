// Written by `npm run sync`.
export * from '@authstate/realm-cache/sites'
