-- Ask whether a write would be refused, without writing anything.
--
-- KEYS[1] absent  a key that never exists
--
-- Returns 0.

return redis.call('ZADD', KEYS[1], 'XX', 0, '-')
