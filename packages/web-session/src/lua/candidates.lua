-- List sessions that may bear an alias, behind a place.
--
-- KEYS[1] pointer     zset: ids of sessions, scored by expiresAt
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  of the place, 0 at first
-- ARGV[3] afterId     of the place, empty at first
-- ARGV[4] limit       ids wanted
--
-- Returns {id, score...}; fewer than were wanted at the end.

-- include: rank-behind
local first
if tonumber(ARGV[2]) <= tonumber(ARGV[1]) then
  first = redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1])
else
  first = rank_behind(KEYS[1], ARGV[2], ARGV[3])
end
return redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[4]) - 1, 'WITHSCORES')
