// Written by `npm run sync`.
export * from '@authstate/redis/doctor'
