-- Set the instant from which a root's life is counted; without life left it is removed.
--
-- KEYS[1] root        hash: see get-or-create-root
-- KEYS[2] realm       zset: ids of the realm's roots, scored by expiry
-- ARGV[1] now         ms since the epoch
-- ARGV[2] lifespanMs  from updated to expiry
-- ARGV[3] graceMs     how much longer the key lives
-- ARGV[4] id          of the root
-- ARGV[5] at          ms since the epoch: updated from now on
--
-- Returns {created, updated, expires}; 'removed' when no life was left; nothing when there is no root.

local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], '_v', 'x', 'c')
if held[1] ~= '1' or (tonumber(held[2]) or 0) <= now then return false end

local expires = tonumber(ARGV[5]) + tonumber(ARGV[2])
if expires <= now then
  redis.call('UNLINK', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[4])
  --@ changed('auth-session', KEYS[1], 'removal')
  return 'removed'
end
-- include: enter
local ttl = string.format('%.0f', expires - now + tonumber(ARGV[3]))
-- A full server goes on with a script that began with a write that cannot grow.
redis.call('PEXPIRE', KEYS[1], ttl)
redis.call('HSET', KEYS[1], 'u', ARGV[5], 'x', string.format('%.0f', expires))
enter(KEYS[2], string.format('%.0f', expires), ARGV[4], ttl, now)
--@ changed('auth-session', KEYS[1], 'touch')
return {held[3] or '', ARGV[5], string.format('%.0f', expires)}
