// Written by `npm run sync`.
export * from '@authstate/action-token/sites'
