-- Take a dead letter out of the list.
--
-- KEYS[1] dead    zset: dead letters of the realm, scored by when they are forgotten
-- ARGV[1] now     ms since the epoch
-- ARGV[2] letter  its id
--
-- Returns 1, or 0 where there is no such letter.

local ends = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2]) or 0)
redis.call('ZREM', KEYS[1], ARGV[2])
return ends > tonumber(ARGV[1]) and 1 or 0
