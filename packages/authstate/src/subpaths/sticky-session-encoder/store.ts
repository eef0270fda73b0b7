// Written by `npm run sync`.
export * from '@authstate/sticky-session-encoder/store'
