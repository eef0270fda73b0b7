// Written by `npm run sync`.
export * from '@authstate/cluster/sites'
