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

-- include: never, longest, record
local now = tonumber(ARGV[1])

if ARGV[2] ~= '' then
  redis.call('ZREM', KEYS[3], ARGV[2])
end

local state, layout = stored_record(KEYS[1])
if not state or (tonumber(state[7]) or 0) <= now then
  return false
end
local n, t, o, last, u, p, x, w, ip = unpack(state) -- at most 9
local before = { 0, n, t, o, last, u, p, x, w, ip }
n, t, o, u, p = tonumber(n) or 0, tonumber(t) or 0, tonumber(o) or 0, tonumber(u) or 0, tonumber(p) or 0

local locked = u > now or (ARGV[5] == '1' and t > tonumber(ARGV[6]))
if p > 0 or (ARGV[2] ~= '' and locked) then
  before[1] = 1
  return before
end

if ARGV[3] == '0' and o > 0 then
  if n > o then
    state[1] = o
    write_record(KEYS[1], state, layout, layout)
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
