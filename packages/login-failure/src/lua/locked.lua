-- List who is locked out of a realm in one partition, behind a place, by the end of the lock.
--
-- KEYS[1] locked      zset: 12 characters of a digest and the tail of a key, scored by when the lock ends
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  of the place, 0 at first
-- ARGV[3] afterPlace  digest of the place and '~', empty at first
-- ARGV[4] limit       members wanted
--
-- Returns {member, score...}.

-- include: rank-behind
local first
if tonumber(ARGV[2]) <= tonumber(ARGV[1]) then
  first = redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1])
else
  first = rank_behind(KEYS[1], ARGV[2], ARGV[3])
end
return redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[4]) - 1, 'WITHSCORES')
