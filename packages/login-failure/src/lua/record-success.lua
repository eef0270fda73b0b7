-- Forget failures after a success. What `applySuccess` of rules.ts does.
--
-- KEYS[1] record                hash, as in record-failure.lua
-- KEYS[2] realm                 zset: tails of the keys of a realm, scored by expiresAt, rounded up
-- KEYS[3] attempts              zset: reserved attempts, scored by the end of the reservation
-- KEYS[4] locked                zset: who is locked out, scored by when the lock ends
-- ARGV[1] now                   ms since the epoch
-- ARGV[2] attempt               the reservation it uses up, may be empty
-- ARGV[3] secondary             1: a second factor was part of it
-- ARGV[4] tail                  the record's key behind its partition
-- ARGV[5] permanentLockout      1 or 0
-- ARGV[6] maxTemporaryLockouts  a count
--
-- Returns {result, n, t, o, l, u, p, x, w, i} as it was before; result 0: it is gone, 1: locked, nothing was forgotten,
-- 2: failures of the first factor were forgotten. False for no record.

-- include: never, longest
local now = tonumber(ARGV[1])

if ARGV[2] ~= '' then
  redis.call('ZREM', KEYS[3], ARGV[2])
end

local old = redis.call('HMGET', KEYS[1], '_v', 'x', 'n', 't', 'o', 'l', 'u', 'p', 'w', 'i')
if old[1] ~= '1' or (tonumber(old[2]) or 0) <= now then
  return false
end
local t, u, p = tonumber(old[4]) or 0, tonumber(old[7]) or 0, tonumber(old[8]) or 0
local before = { 0, old[3] or '0', old[4] or '0', old[5] or '0', old[6] or '0', old[7] or '0', old[8] or '0', old[2] }
before[9] = old[9] or ''
before[10] = old[10] or ''

local locked = u > now or (ARGV[5] == '1' and t > tonumber(ARGV[6]))
if p > 0 or (ARGV[2] ~= '' and locked) then
  before[1] = 1
  return before
end

local o = tonumber(old[5]) or 0
if ARGV[3] == '0' and o > 0 then
  if (tonumber(old[3]) or 0) > o then
    redis.call('HSET', KEYS[1], 'n', old[5])
    --@ changed('login-failure', KEYS[1], 'full')
  end
  before[1] = 2
  return before
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[4])
if u > 0 or t > 0 then
  -- include: locked
  list_lock(KEYS[4], ARGV[4], 0, now)
end
--@ changed('login-failure', KEYS[1], 'removal')
keep_longest(KEYS[2], now)
return before
