-- Note that a session is in use, and answer its new times only.
--
-- KEYS[1] session  hash: _v, t times
-- ARGV[1] now      ms since the epoch
-- ARGV[2] life     spans of the session, ms
--
-- Returns its field of times, or nil when it is gone.

local now = tonumber(ARGV[1])
local t, lives = open(KEYS[1], ARGV[2], now)
if not t then
  return false
end
t.refreshed = math.max(t.refreshed, now)
t.expires = ending(t, lives, latest(t, lives))
settle(KEYS[1], t, now, lives.idle)
return redis.call('HGET', KEYS[1], 't')
