// Written by `npm run sync`.
export * from '@authstate/web-session/sites'
