-- Remove a root with all its tabs.
--
-- KEYS[1] root   hash: see get-or-create-root
-- KEYS[2] realm  zset: ids of the realm's roots, scored by expiry
-- ARGV[1] now    ms since the epoch
-- ARGV[2] id     of the root
--
-- Returns 1 when it was alive, else 0.

local held = redis.call('HMGET', KEYS[1], '_v', 'x')
if held[1] ~= '1' then return 0 end
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
--@ changed('auth-session', KEYS[1], 'removal')
if (tonumber(held[2]) or 0) <= tonumber(ARGV[1]) then return 0 end
return 1
