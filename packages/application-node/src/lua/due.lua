-- Count the lanes of a partition that are due.
--
-- KEYS[1] due  zset: lanes, scored by when they are due
-- ARGV[1] now  ms since the epoch
--
-- Returns how many.

return redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1])
