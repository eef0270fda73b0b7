-- Note that a session, and one of its client sessions if named, is in use.
--
-- KEYS[1] session     hash: t times, c: per client
-- ARGV[1] now         ms since the epoch
-- ARGV[2] life        spans of the session, ms
-- ARGV[3] client      escaped, empty for none
-- ARGV[4] clientLife  spans of the client session, ms
--
-- Returns the values of the record, with a client named those of t, d and its c:, else all; nil when it is gone.

-- include: lag, times, life, settling, opening
local now = tonumber(ARGV[1])
local client = ARGV[3]
if client == '' then
  local t, lives = open(KEYS[1], ARGV[2], now)
  if not t then
    return false
  end
  t.refreshed = math.max(t.refreshed, now)
  t.expires = ending(t, lives, latest(t, lives))
  settle(KEYS[1], t, now, lives.idle)
  return redis.call('HVALS', KEYS[1])
end

local record = redis.call('HMGET', KEYS[1], 't', 'd', 'c:' .. client)
local t, lives = opened(KEYS[1], record[1], ARGV[2], now)
local c = t and client_session(record[3])
if not c or c.expires <= now then
  return false
end
local own = life(ARGV[4], t.remember)
if client_ending(c, own, latest(t, lives)) <= now then
  return false
end
t.refreshed = math.max(t.refreshed, now)
t.expires = ending(t, lives, latest(t, lives))
c.refreshed = math.max(c.refreshed, now)
c.expires = client_ending(c, own, latest(t, lives))
record[1], record[3] = settle(KEYS[1], t, now, lives.idle, c, own.idle)
return record
