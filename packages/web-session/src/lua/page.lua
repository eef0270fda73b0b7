-- List members of an index that are alive, behind a place.
--
-- KEYS[1] index        zset: members of sessions, scored by expiresAt
-- ARGV[1] now          ms since the epoch
-- ARGV[2] afterScore   of the place, 0 at first
-- ARGV[3] afterDigest  of the place, empty at first
-- ARGV[4] limit        members wanted
--
-- Returns {member, score...}.

-- include: behind
local first
if tonumber(ARGV[2]) <= tonumber(ARGV[1]) then
  first = redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1])
else
  first = behind(KEYS[1], ARGV[2], ARGV[3])
end
return redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[4]) - 1, 'WITHSCORES')
