-- Note that a session may bear an alias. Its record decides whether it does.
--
-- KEYS[1] pointer    zset: ids of sessions, scored by expiresAt
-- ARGV[1] now        ms since the epoch
-- ARGV[2] expiresAt  ms since the epoch
-- ARGV[3] keepMs     how long Redis keeps the pointer at least, ms
-- ARGV[4] id         of the session
--
-- Returns 1.

-- include: keep, prune
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
keep(KEYS[1], ARGV[3])
prune(KEYS[1], ARGV[1])
return 1
