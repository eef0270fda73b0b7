import type { KeySpaceRules } from '@authstate/conformance'

/** What is true of this package's keys at any time. */
export const keySpace: KeySpaceRules = {
  records: ['as'],
  indexes: { 'as-realm': (rootId, head, key) => `${head}:as:${key.split(':as-realm:')[1]}:${rootId}` },
}
