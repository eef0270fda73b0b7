-- List members of an index behind a place, but for those that have ended for sure.
--
-- KEYS[1] index        zset: members of sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now          ms since the epoch
-- ARGV[2] afterScore   of the place, 0 at first
-- ARGV[3] afterDigest  of the place, empty at first
-- ARGV[4] limit        members wanted
--
-- Returns {member, score...}.

-- include: living-behind
-- No text has such a byte: behind every member that begins with the digest.
return living_behind(KEYS[1], ARGV[1], ARGV[2], ARGV[3] .. '\255', tonumber(ARGV[4]))
