-- Remove up to a hundred roots of a realm, whether living or only left over.
--
-- KEYS[1] realm  zset: ids of the realm's roots, scored by expiry
-- KEYS[2] roots  base to which the id of a root is appended
-- ARGV[1] now    ms since the epoch
--
-- Returns {1 when more are left, flat: id, 1 when it was alive, …}.

local now = tonumber(ARGV[1])
local found = redis.call('ZRANGE', KEYS[1], 0, 99, 'WITHSCORES')
local told = {}
for i = 1, #found, 2 do
  local living = redis.call('UNLINK', KEYS[2] .. found[i]) == 1 and tonumber(found[i + 1]) > now
  redis.call('ZREM', KEYS[1], found[i])
  --@ if living then changed('auth-session', KEYS[2] .. found[i], 'removal') end
  told[#told + 1] = found[i]
  told[#told + 1] = living and 1 or 0
end
return {redis.call('EXISTS', KEYS[1]), told}
