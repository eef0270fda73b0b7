import type { Plant } from '../../../../tools/testing/planted-connection.js'

/** Errors that a join could have. Each must be seen by a walk. */
export const plants: Readonly<Record<string, Plant>> = {
  'an older generation is ignored as a whole': {
    'user-session.join': ['if is_same or not revives then', 'if is_same then'],
  },
  'generations are ignored': {
    'user-session.join': [
      'local is_same = a.g and b.g and a.g[1] == b.g[1] and a.g[2] == b.g[2]',
      'local is_same = a.g and b.g',
    ],
  },
  'the note that arrives last stands': {
    'user-session.join': [
      'local function higher_part(_, a, b)\n',
      'local function higher_part(_, a, b)\n  if b then return b end\n',
    ],
  },
  'the refresh that arrives last stands': {
    'user-session.join': [
      'local a, b = tonumber(a_used), tonumber(b_used)\n',
      'if true then return b_used, b_ends end\n  local a, b = tonumber(a_used), tonumber(b_used)\n',
    ],
  },
  'a removal does not absorb': {
    'user-session.join': [
      'return state.d ~= nil and not (revives and state.g and after(state.g[1], state.d))',
      'return state.d ~= nil and not state.g',
    ],
  },
  'a removal leaves no trace': {
    'user-session.share': ['  if removed and next(stamps) then', '  if false then'],
    'user-session.join': ['tonumber(stamps.x[1]) > now', 'false'],
  },
  'the client session that arrives last stands': {
    'user-session.join': ['  local first = higher(a, b)\n  if not a', '  local first = b or a\n  if not a'],
  },
  'a family of tokens that ended may live again': {
    'user-session.join': ["return string.sub(part[2], 1, 2) == '0:' and 1 or 0", 'return 0'],
  },
  'a removal of all is not asked about what comes later': {
    'user-session.join': ['if state.g and not (values and values.t.expires > now) then', 'if false then'],
  },
  'a removal of all ends nothing that is there': {
    'user-session.join-fence': ['if beginning and not spared', 'if false and not spared'],
  },
  'a removal of all ends what it spared': {
    'user-session.join-fence': ['  spared[id] = true\n', ''],
  },
  'what changed is stamped by the clock alone': {
    'user-session.share': ['math.max(at, highest + 1)', 'at'],
    'user-session.join': ['math.max(at, highest + 1)', 'at'],
  },
  'of two sites that exchanged a token the later one is known only': {
    'user-session.join': [
      '  if not a or not b then\n    return a or b\n  end\n  local all',
      '  if a and b then\n    return b\n  end\n  local all',
    ],
  },
  'times are taken for a session, or a client session, that began otherwise': {
    'user-session.join-times': ['return stamp == told_stamp and begun == told_begun', 'return true'],
  },
  'a site that holds another session takes no times, and asks for nothing': {
    'user-session.join-times': ["tonumber(ARGV[1]), 'need-full'", "tonumber(ARGV[1]), 'same'"],
  },
  'times that arrive last stand': {
    'user-session.join-times': [
      'local later = used - held_use\n',
      'if true then return true end\n  local later = used - held_use\n',
    ],
  },
}

/** The same, of errors that only a walk sees which knows when a site tells what. */
export const forkPlants: Readonly<Record<string, Plant>> = {
  'a token that two sites exchanged is not found out': {
    'user-session.join': ['if known.count > 1 + known.most then', 'if false then'],
    'user-session.share': ['if known.count > 1 + known.most then', 'if false then'],
  },
}
