-- Drop every tab of a root and start its life again.
--
-- KEYS[1] root        hash: see get-or-create-root
-- KEYS[2] realm       zset: ids of the realm's roots, scored by expiry
-- ARGV[1] now         ms since the epoch
-- ARGV[2] lifespanMs  from updated to expiry
-- ARGV[3] graceMs     how much longer the key lives
-- ARGV[4] id          of the root
--
-- Returns {created, updated, expires}; nothing when there is no root.

local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], '_v', 'x', 'c', 's')
if held[1] ~= '1' or (tonumber(held[2]) or 0) <= now then return false end

local expires = string.format('%.0f', now + tonumber(ARGV[2]))
-- include: enter
local ttl = tonumber(ARGV[2]) + tonumber(ARGV[3])
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], '_v', '1', 'c', held[3], 'u', ARGV[1], 'x', expires, 's', held[4])
redis.call('PEXPIRE', KEYS[1], ttl)
enter(KEYS[2], expires, ARGV[4], ttl, now)
--@ changed('auth-session', KEYS[1], 'full')
return {held[3], ARGV[1], expires}
