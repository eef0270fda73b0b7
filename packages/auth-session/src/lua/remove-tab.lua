-- Remove a tab, and the root with its last one; else set the time from which the root's life is counted.
--
-- KEYS[1] root        hash: see get-or-create-root
-- KEYS[2] realm       zset: ids of the realm's roots, scored by expiry
-- ARGV[1] now         ms since the epoch
-- ARGV[2] lifespanMs  from updated to expiry
-- ARGV[3] graceMs     how much longer the key lives
-- ARGV[4] id          of the root
-- ARGV[5] tab         id of the tab
-- ARGV[6] at          ms since the epoch: updated from now on, where tabs are left
-- ARGV[7] end         1: the root goes even where tabs are left
--
-- Returns 'kept'; 'last' or 'ended' when the root went; nothing when there is no such tab.

local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], '_v', 'x')
if held[1] ~= '1' or (tonumber(held[2]) or 0) <= now then return false end
if redis.call('HDEL', KEYS[1], 't:' .. ARGV[5], 'd:' .. ARGV[5]) == 0 then return false end

local last = redis.call('HLEN', KEYS[1]) <= 5
local expires = tonumber(ARGV[6]) + tonumber(ARGV[2])
if last or ARGV[7] == '1' then
  redis.call('UNLINK', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[4])
  --@ changed('auth-session', KEYS[1], 'removal')
  return last and 'last' or 'ended'
end
-- include: enter
local ttl = string.format('%.0f', expires - now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'u', ARGV[6], 'x', string.format('%.0f', expires))
redis.call('PEXPIRE', KEYS[1], ttl)
enter(KEYS[2], string.format('%.0f', expires), ARGV[4], ttl, now)
--@ changed('auth-session', KEYS[1], 'full')
return 'kept'
