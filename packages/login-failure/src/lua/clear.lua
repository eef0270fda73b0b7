-- Forget a record and any lock it holds.
--
-- KEYS[1] record  hash, as in record-failure.lua
-- KEYS[2] realm   zset: tails of the keys of a realm, scored by expiresAt
-- KEYS[3] locked  zset: who is locked out, scored by when the lock ends
-- ARGV[1] now     ms since the epoch
-- ARGV[2] tail    the record's key behind its partition
--
-- Returns {n, t, o, l, u, p, x, w, i} as it was, false for no living record.

-- include: never, longest, locked
local now = tonumber(ARGV[1])

local old = redis.call('HMGET', KEYS[1], '_v', 'x', 'n', 't', 'o', 'l', 'u', 'p', 'w', 'i')
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
list_lock(KEYS[3], ARGV[2], 0, now)
--@ if old[1] or old[2] then changed('login-failure', KEYS[1], 'removal') end
keep_longest(KEYS[2], now)

if old[1] ~= '1' or (tonumber(old[2]) or 0) <= now then
  return false
end
local before = {}
for _, index in ipairs({ 3, 4, 5, 6, 7, 8, 2 }) do
  before[#before + 1] = old[index] or '0'
end
before[#before + 1] = old[9] or ''
before[#before + 1] = old[10] or ''
return before
