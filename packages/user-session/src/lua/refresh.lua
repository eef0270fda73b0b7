-- Note that a session, and one of its client sessions if named, is in use.
--
-- KEYS[1] session     hash: _v, t times, c:, t: per client
-- ARGV[1] now         ms since the epoch
-- ARGV[2] life        spans of the session, ms
-- ARGV[3] client      escaped, empty for none
-- ARGV[4] clientLife  spans of the client session, ms
--
-- Returns the record, with a client named as {_v, k, t, d, n, s, c:, t:}, else all its fields; nil when it is gone.

-- include: times, reading, life, writing, opening
local now = tonumber(ARGV[1])
local t, lives = open(KEYS[1], ARGV[2], now)
if not t then
  return false
end

local client = ARGV[3]
if client == '' then
  t.refreshed = math.max(t.refreshed, now)
  t.expires = ending(t, lives, latest(t, lives))
  settle(KEYS[1], t, now, lives.idle)
  return redis.call('HGETALL', KEYS[1])
end

local c = living_client(KEYS[1], client, now)
if not c then
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
settle_both(KEYS[1], t, lives.idle, client, c, own.idle, now)
return redis.call('HMGET', KEYS[1], '_v', 'k', 't', 'd', 'n', 's', 'c:' .. client, 't:' .. client)
