-- Change names, the end, or the user of a session that is there; it never creates.
--
-- KEYS[1] record       see lib/slot
-- KEYS[2] realm        zset: members of the realm's sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now          ms since the epoch, in base 36
-- ARGV[2] expiresAt    ms since the epoch, in base 36; may have passed; empty: as it is
-- ARGV[3] tombstoneMs  how long at least what ends is refused, ms
-- ARGV[4] graceMs      how much longer Redis keeps everything, ms
-- ARGV[5] member       what indexes call the session
-- ARGV[6] ifVersion    change this version and no other; empty for any
-- ARGV[7] generation   = and the one to change, escaped; empty: whichever is there
-- ARGV[8] owner        = and the user, escaped, or nobody; empty: as it is
-- ARGV[9] since        when the sign-in began, ms since the epoch, in base 36; empty without one
-- ARGV[10] beginning   the same, as a removal of the user's sessions compares it; empty without one
-- ARGV[11] maxBytes    of the JSON of the data
-- ARGV[12] unset       JSON of names that go, each ended by a line feed
-- ARGV[13] layout      to write in
-- ARGV[14] set         lengths, a colon, and an object as JSON; empty for none
--
-- Returns the new version, or {'changed', version, score, alias} where a pointer has to follow; else 'ended', 'absent',
-- 'conflict', 'user', {'too-large', bytes} or {'passed', user, alias, score}.

-- include: lag, changing
return change(KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], {
  version = ARGV[6],
  generation = ARGV[7],
  owner = ARGV[8],
  since = ARGV[9],
  beginning = ARGV[10],
  most = tonumber(ARGV[11]),
  unset = ARGV[12],
  set = ARGV[14] or '',
  layout = ARGV[13],
})
