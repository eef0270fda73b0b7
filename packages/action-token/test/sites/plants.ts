import type { Plant } from '../../../../tools/testing/planted-connection.js'

const joinAndShare = (from: string, to: string): Plant => ({
  'action-token.join': [from, to],
  'action-token.share': [from, to],
})

/** Errors that a join could have. Each must be seen by a walk. */
export const plants: Readonly<Record<string, Plant>> = {
  'the content that arrives last stands': {
    'action-token.join': ['joined.c = higher(joined.c, state.c)', 'joined.c = state.c'],
  },
  'a redemption that arrives is forgotten': {
    'action-token.join': ['joined.u[id] = higher(joined.u[id], use)', 'joined.u[id] = a.u and a.u[id]'],
  },
  'the redemption that is known hides a further one': {
    'action-token.join': [
      '    for id, use in pairs(state.u or {}) do',
      '    for id, use in pairs(joined.u and {} or state.u or {}) do',
    ],
  },
  'a removal takes nothing away': joinAndShare(
    'return not d or (birth ~= d and follows(birth, d))',
    'return true',
  ),
  'a removal takes away what was stored after it': {
    'action-token.join': ['return not d or (birth ~= d and follows(birth, d))', 'return not d'],
  },
  'a removal leaves no trace': joinAndShare(
    'if is_known and (not is_live or is_another or was_removed) then',
    'if false then',
  ),
  'who joins a revoked family is stored': {
    'action-token.join': ["if state.c and not state.u and state.c[4] ~= '' then", 'if false then'],
  },
  'what changed is stamped by the clock alone': joinAndShare(
    'highest = math.max(at, highest + 1)',
    'highest = at',
  ),
  'whoever redeems again has redeemed once more': joinAndShare(
    "attempt ~= '' and '=' .. attempt or",
    'false or',
  ),
  'a second redemption is not noticed': {
    'action-token.join': ['if count_of(state.u) > 1', 'if count_of(state.u) > 9'],
  },
}
