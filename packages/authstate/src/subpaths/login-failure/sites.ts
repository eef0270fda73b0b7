// Written by `npm run sync`.
export * from '@authstate/login-failure/sites'
