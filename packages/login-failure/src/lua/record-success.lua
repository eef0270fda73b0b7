-- Forget failures after a success. What `applySuccess` of rules.ts does.
--
-- KEYS[1] record                hash, as in record-failure.lua
-- KEYS[2] realm                 zset: tails of the keys of a realm, scored by expiresAt, rounded up
-- KEYS[3] attempts              zset: reserved attempts, scored by the end of the reservation
-- ARGV[1] now                   ms since the epoch
-- ARGV[2] attempt               the reservation it uses up, may be empty
-- ARGV[3] secondary             1: a second factor was part of it
-- ARGV[4] tail                  the record's key behind its partition
-- ARGV[5] permanentLockout      1 or 0
-- ARGV[6] maxTemporaryLockouts  a count
--
-- Returns {locked, n, t, o, l, u, p, x, w, i} as it was before; locked 1: nothing was forgotten. False for no record.

local NEVER, GRACE = 8640000000000000, 60000
local now = tonumber(ARGV[1])

local lapsed = false
if ARGV[2] ~= '' then
  local heldUntil = redis.call('ZSCORE', KEYS[3], ARGV[2])
  lapsed = not heldUntil or tonumber(heldUntil) <= now
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
if p > 0 or (lapsed and locked) then
  before[1] = 1
  return before
end

if ARGV[3] == '0' and old[5] then
  redis.call('HDEL', KEYS[1], 't', 'u', 'w', 'i')
  redis.call('HSET', KEYS[1], 'n', 0)
  return before
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[4])
local longest = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
if longest and tonumber(longest) < NEVER then
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', math.max(tonumber(longest) - now, 0) + GRACE))
end
return before
