-- Name what another site has to know of a partition, some names at a time.
--
-- KEYS[1] known       zset: names of records that sites know of, scored by when they are forgotten
-- ARGV[1] afterScore  0 at first
-- ARGV[2] afterName   empty at first
-- ARGV[3] limit       how many names
--
-- Returns {name, score...}.

-- include: rank-behind
local first = ARGV[2] == '' and 0 or rank_behind(KEYS[1], ARGV[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[3]) - 1, 'WITHSCORES')
