-- Reserve an attempt, if fewer are reserved than could fail before one of them locks. See `attemptsLeft` of rules.ts.
--
-- KEYS[1] record                    hash, as in record-failure.lua
-- KEYS[2] attempts                  zset: reserved attempts, scored by the end of the reservation
-- ARGV[1] now                       ms since the epoch
-- ARGV[2] lapsedAt                  reservations that ended then or before have run out, ms since the epoch
-- ARGV[3] attempt                   its name
-- ARGV[4] leaseMs                   how long it is reserved, ms
-- ARGV[5] secondary                 1: a second factor will be verified
-- ARGV[6] permanentLockout          1 or 0
-- ARGV[7] maxTemporaryLockouts      a count
-- ARGV[8] failureFactor             a count, 1 or more
-- ARGV[9] waitIncrementMs           ms
-- ARGV[10] quickLoginCheckMs        ms
-- ARGV[11] minimumQuickLoginWaitMs  ms
-- ARGV[12] maxFailureWaitMs         ms
-- ARGV[13] maxDeltaTimeMs           ms
-- ARGV[14] maxSecondaryAuthFailures a count, 0 for no limit
--
-- Returns 1 when reserved, 0 when all that are left are reserved, {n, t, o, l, u, p, x, w, i} when locked.

-- include: grace, record
local now = tonumber(ARGV[1])
local permanent, maxLockouts = ARGV[6] == '1', tonumber(ARGV[7])

local state = stored_record(KEYS[1])
local n, t, o, last, u, p = 0, 0, 0, 0, 0, 0
if state and (tonumber(state[7]) or 0) > now then
  n, t, o = tonumber(state[1]) or 0, tonumber(state[2]) or 0, tonumber(state[3]) or 0
  last, u, p = tonumber(state[4]) or 0, tonumber(state[5]) or 0, tonumber(state[6]) or 0
end

if u > now or p > 0 or (permanent and t > maxLockouts) then
  return state
end

local pure = permanent and maxLockouts == 0
local delta = 0
if last > 0 then
  delta = now - last
end
if not pure and delta > tonumber(ARGV[13]) then
  n, t = 0, 0
end
local toFactor = math.max(1, tonumber(ARGV[8]) - n)
local waits = pure or tonumber(ARGV[12]) > 0

local left = math.huge
if pure then
  left = toFactor
elseif tonumber(ARGV[9]) > 0 then
  if waits then
    left = toFactor
  elseif permanent then
    left = toFactor + maxLockouts - t
  end
end
local quickMs = tonumber(ARGV[10])
if waits and quickMs > 0 and tonumber(ARGV[11]) > 0 then
  if last > 0 and math.abs(delta) < quickMs then
    left = 1
  elseif now >= last then
    left = math.min(left, 2)
  end
end
local maxSecondary = tonumber(ARGV[14])
if ARGV[5] == '1' and maxSecondary > 0 then
  left = math.min(left, math.max(1, maxSecondary - o + 1))
end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])
if redis.call('ZCARD', KEYS[2]) >= left then
  return 0
end
redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[4])), ARGV[3])
redis.call('PEXPIRE', KEYS[2], string.format('%.0f', tonumber(ARGV[4]) + GRACE))
return 1
