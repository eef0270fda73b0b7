import type { Plant } from '../../../../tools/testing/site-walk.js'

const joinAndShare = (from: string, to: string): Plant => ({
  'web-session.join': [from, to],
  'web-session.share': [from, to],
})

/** Errors that a join could have. Each must be seen by a walk. */
export const plants: Readonly<Record<string, Plant>> = {
  'the name that arrives last stands': {
    'web-session.join': [
      'f = merged(a.f, b.f, higher)',
      'f = merged(a.f, b.f, function(_, part) return part end)',
    ],
  },
  'a session that arrives takes the place of what is there': {
    'web-session.join': ['c = content_of(c, b.c)', 'c = b.c'],
  },
  'a name that was taken out leaves no trace': joinAndShare(
    'if ms_in(since) + ends_ms > now then',
    'if false then',
  ),
  'an end takes nothing away': {
    'web-session.join': ['tonumber(m[c.g]) >= ms_in(c.b)', 'false'],
  },
  'an end leaves no trace': joinAndShare(
    'm[generation] = larger(m[generation], ends)',
    'm[generation] = nil',
  ),
  'the session that began first stands': {
    'web-session.join': ['c = is_later and b.c or c', 'c = is_later and c or b.c'],
  },
  'the longer end stands, whoever shortened it': {
    'web-session.join': ['if a[1] ~= b[1] then', 'if false then'],
  },
  'changes of sites are not added up': {
    'web-session.join': [
      'version = version + tonumber(count)',
      'version = math.max(version, tonumber(count))',
    ],
  },
  'what changed is stamped by the clock alone': joinAndShare('math.max(at, highest + 1)', 'at'),
  'what began before a removal of all of a user is taken in': {
    'web-session.join': [
      'if latest >= beginning_of(state.c)',
      'if false and latest >= beginning_of(state.c)',
    ],
  },
  'indexes do not follow': { 'web-session.join': ['  if not stays then', '  if false then'] },
}

/** Errors that walks cannot see, since what one site ends is ended everywhere, and the case that does. */
export const plantsOfFences = {
  'a removal of all of a user ends nothing that it did not know of': {
    'web-session.join-fence': [
      'if latest >= beginning_of(state.c)',
      'if false and latest >= beginning_of(state.c)',
    ],
  },
  'a removal of all of a user ends what it spared': {
    'web-session.join-fence': [
      'for _, member in ipairs(cjson.decode(ARGV[6])) do',
      'for _, member in ipairs({}) do',
    ],
  },
} as const satisfies Readonly<Record<string, Plant>>
