import type { Plant } from '../../../../tools/testing/site-walk.js'

/** Errors that a join could have. Each must be seen by a walk. */
export const plants: Readonly<Record<string, Plant>> = {
  'counts of sites are not added up': {
    'login-failure.join': [
      'n, o = n + counts[1], o + counts[2]',
      'n, o = math.max(n, counts[1]), math.max(o, counts[2])',
    ],
  },
  'the counter that arrives last stands': {
    'login-failure.join': [
      'f[site] = { math.max(counts[1], other[1]), math.max(counts[2], other[2]) }',
      'f[site] = b.f[site] or counts',
    ],
  },
  'a clear does not win': {
    'login-failure.join': ['return follows(a.g, b.g) and a or b', 'return a'],
  },
  'a clear leaves no trace': {
    'login-failure.share': ["if removed or (not values and tonumber(stamps.x or '0') > now)", 'if false'],
    'login-failure.join': ["if removed or (not values and tonumber(stamps.x or '0') > now)", 'if false'],
  },
  'what one site counted is counted again by another': {
    'login-failure.share': [
      'counts[site] = { n - others_n, o - others_o }',
      'counts[site] = { n + 0, o + 0 }',
    ],
    'login-failure.join': [
      'counts[site] = { n - others_n, o - others_o }',
      'counts[site] = { n + 0, o + 0 }',
    ],
  },
  'lock-outs are added up': {
    'login-failure.join': ['t = math.max(a.t, b.t)', 't = a.t + b.t'],
  },
  'the lock that arrives last stands': {
    'login-failure.join': ['u = math.max(a.u, b.u)', 'u = b.u'],
  },
  'the address that arrives last stands': {
    'login-failure.join': ['l = last.l, i = last.i,', 'l = last.l, i = b.i,'],
  },
}
