-- Note that a session may bear an alias. Its record decides whether it does.
--
-- KEYS[1] pointer    zset: ids of sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now        ms since the epoch
-- ARGV[2] score      a minute more than its expiresAt, ms since the epoch
-- ARGV[3] keepMs     how long Redis keeps the pointer at least, ms
-- ARGV[4] id         of the session
--
-- Returns 1.

-- include: enter
-- A full server goes on with a script that began with a write that cannot grow: with one that only moves an entry.
if redis.call('ZSCORE', KEYS[1], ARGV[4]) then
  local ms = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[3]))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ms))
end
enter(KEYS[1], ARGV[2], ARGV[4], ARGV[3], ARGV[1])
return 1
