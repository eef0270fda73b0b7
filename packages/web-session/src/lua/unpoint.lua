-- Forget that a session may bear an alias, unless it was noted again with another score.
--
-- KEYS[1] pointer    zset: ids of sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] score      of the session that was ended, ms since the epoch
-- ARGV[2] id         of the session
--
-- Returns 1.

-- As numbers: of a score servers write different texts.
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2]) or '0') == tonumber(ARGV[1]) then
  redis.call('ZREM', KEYS[1], ARGV[2])
end
return 1
