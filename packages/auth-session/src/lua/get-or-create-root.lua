-- Answer the living root of an id as it is, or create one without tabs.
--
-- KEYS[1] root        hash: _v format, c created, u updated, x expires, s tabs ever added;
--                     per tab t:<tab> '<created> <serial> <promoted> <client>' and d:<tab> JSON
-- KEYS[2] realm       zset: ids of the realm's roots, scored by expiry
-- ARGV[1] now         ms since the epoch
-- ARGV[2] lifespanMs  from updated to expiry
-- ARGV[3] graceMs     how much longer the key lives
-- ARGV[4] id          of the root
--
-- Returns {created 0 or 1, created, updated, expires}; nothing when the key holds a record of another format.

local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], '_v', 'x', 'c', 'u')
if held[1] and held[1] ~= '1' then return false end
if held[1] and (tonumber(held[2]) or 0) > now then
  return {0, held[3] or '', held[4] or '', held[2]}
end

local expires = string.format('%.0f', now + tonumber(ARGV[2]))
-- include: enter
local ttl = tonumber(ARGV[2]) + tonumber(ARGV[3])
-- Only where something is: a script that begins with UNLINK would create roots on a full server.
if held[1] then redis.call('UNLINK', KEYS[1]) end
redis.call('HSET', KEYS[1], '_v', '1', 'c', ARGV[1], 'u', ARGV[1], 'x', expires, 's', '0')
redis.call('PEXPIRE', KEYS[1], ttl)
enter(KEYS[2], expires, ARGV[4], ttl, now)
--@ changed('auth-session', KEYS[1], 'full')
return {1, ARGV[1], ARGV[1], expires}
