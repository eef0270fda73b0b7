-- Forget a record and any lock it holds.
--
-- KEYS[1] record  hash, as in record-failure.lua
-- KEYS[2] realm   zset: tails of the keys of a realm, scored by expiresAt
-- KEYS[3] locked  zset: who is locked out, scored by when the lock ends
-- ARGV[1] now     ms since the epoch
-- ARGV[2] tail    the record's key behind its partition
--
-- Returns {n, t, o, l, u, p, x, w, i} as it was, false for no living record.

-- include: never, longest, locked, record
local now = tonumber(ARGV[1])

local before = stored_record(KEYS[1])
local was_there = redis.call('DEL', KEYS[1]) == 1
redis.call('ZREM', KEYS[2], ARGV[2])
list_lock(KEYS[3], ARGV[2], 0, now)
--@ if was_there then changed('login-failure', KEYS[1], 'removal') end
keep_longest(KEYS[2], now)

if not was_there or not before or (tonumber(before[7]) or 0) <= now then
  return false
end
return before
