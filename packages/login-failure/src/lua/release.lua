-- Give a reserved attempt back.
--
-- KEYS[1] attempts  zset: reserved attempts, scored by the end of the reservation
-- ARGV[1] attempt   its name
--
-- Returns 1 when it was reserved, 0 when not.

return redis.call('ZREM', KEYS[1], ARGV[1])
