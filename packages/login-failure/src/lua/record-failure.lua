-- Count a failure, unless locked, and lock as the policy says. What `applyFailure` of rules.ts does.
--
-- KEYS[1] record                    hash: _v, x expiresAt, n failures, t temporary lockouts, o failures of a second
--                                   factor, l lastFailureAt, u lockedUntil, p permanentlyLockedAt, w reason, i lastIp
-- KEYS[2] realm                     zset: tails of the keys of a realm, scored by expiresAt
-- KEYS[3] attempts                  zset: reserved attempts, scored by the end of the reservation
-- ARGV[1] now                       ms since the epoch
-- ARGV[2] at                        when it happened, ms since the epoch
-- ARGV[3] ip                        may be empty
-- ARGV[4] secondary                 1: a second factor failed
-- ARGV[5] attempt                   the reservation it uses up, may be empty
-- ARGV[6] tail                      the record's key behind its partition
-- ARGV[7] linear                    1: LINEAR, 0: MULTIPLE
-- ARGV[8] permanentLockout          1 or 0
-- ARGV[9] maxTemporaryLockouts      a count
-- ARGV[10] failureFactor            a count, 1 or more
-- ARGV[11] waitIncrementMs          ms
-- ARGV[12] quickLoginCheckMs        ms
-- ARGV[13] minimumQuickLoginWaitMs  ms
-- ARGV[14] maxFailureWaitMs         ms
-- ARGV[15] maxDeltaTimeMs           ms
-- ARGV[16] maxSecondaryAuthFailures a count, 0 for no limit
--
-- Returns {counted, newLock, n, t, o, l, u, p, x, w, i}, numbers as strings.

local NEVER, GRACE = 8640000000000000, 60000
local now, at = tonumber(ARGV[1]), tonumber(ARGV[2])
local permanent, maxLockouts = ARGV[8] == '1', tonumber(ARGV[9])
local factor, maxDelta = tonumber(ARGV[10]), tonumber(ARGV[15])

if ARGV[5] ~= '' then
  redis.call('ZREM', KEYS[3], ARGV[5])
end

local old = redis.call('HMGET', KEYS[1], '_v', 'x', 'n', 't', 'o', 'l', 'u', 'p', 'w', 'i')
local stale = false
if old[1] ~= '1' or (tonumber(old[2]) or 0) <= now then
  stale = old[1] or old[2]
  old = {}
end
local function field(index)
  return tonumber(old[index] or 0) or 0
end
local x, n, t, o, last, u, p = field(2), field(3), field(4), field(5), field(6), field(7), field(8)
local w, ip = old[9] or '', old[10] or ''

local function answer(counted, newLock)
  local reply = { counted, newLock }
  for _, number in ipairs({ n, t, o, last, u, p, x }) do
    reply[#reply + 1] = string.format('%.0f', number)
  end
  reply[#reply + 1] = w
  reply[#reply + 1] = ip
  return reply
end

if u > at or p > 0 or (permanent and t > maxLockouts) then
  return answer(0, '')
end

local pure = permanent and maxLockouts == 0
local before = last
local delta = 0
if before > 0 then
  delta = at - before
end
if ARGV[3] ~= '' then
  ip = ARGV[3]
end
if not pure and delta > maxDelta then
  n, t, u, ip = 0, 0, 0, ARGV[3]
end
n = n + 1
last = math.max(before, at)

local newLock = ''
local wait = 0
if not pure then
  local steps = ARGV[7] == '1' and 1 + n - factor or math.floor(n / factor)
  wait = tonumber(ARGV[11]) * steps
end
local quick = wait <= 0 and before > 0 and math.abs(delta) < tonumber(ARGV[12])
if quick then
  wait = tonumber(ARGV[13])
end
if wait > 0 then
  if not pure then
    wait = math.min(tonumber(ARGV[14]), wait)
  end
  if not quick then
    t = t + 1
  end
  if quick or not permanent or t <= maxLockouts then
    u = math.min(NEVER, math.max(u, at + wait))
    if u > at then
      w = quick and 'quick-login' or 'failures'
      newLock = 'temporary'
    end
  end
end

local maxSecondary = tonumber(ARGV[16])
if ARGV[4] == '1' then
  o = o + 1
end
if ARGV[4] == '1' and maxSecondary > 0 and o > maxSecondary then
  p, w, newLock = math.max(at, 1), 'secondary-auth-failures', 'permanent'
elseif permanent and (t > maxLockouts or (pure and n >= factor)) then
  p, w, newLock = math.max(at, 1), 'failures', 'permanent'
end

if pure or p > 0 or (permanent and t > maxLockouts) then
  x = NEVER
else
  x = math.min(NEVER, math.max(last + maxDelta, u))
end

if x <= now then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[6])
  return answer(1, newLock)
end
local fields = { '_v', '1', 'x', string.format('%.0f', x), 'n', n, 'l', string.format('%.0f', last) }
local gone = {}
local function keep(name, value, before)
  if value ~= 0 and value ~= '' then
    fields[#fields + 1] = name
    fields[#fields + 1] = type(value) == 'number' and string.format('%.0f', value) or value
  elseif before then
    gone[#gone + 1] = name
  end
end
keep('t', t, old[4])
keep('o', o, old[5])
keep('u', u, old[7])
keep('p', p, old[8])
keep('w', w, old[9])
keep('i', ip, old[10])
if stale then
  redis.call('DEL', KEYS[1])
elseif #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
end
redis.call('HSET', KEYS[1], unpack(fields))
if x < NEVER then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', x - now + GRACE))
else
  redis.call('PERSIST', KEYS[1])
end

redis.call('ZADD', KEYS[2], string.format('%.0f', x), ARGV[6])
local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 4)
if #dead > 0 then
  redis.call('ZREM', KEYS[2], unpack(dead))
end
local longest = tonumber(redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2])
if longest < NEVER then
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', longest - now + GRACE))
else
  redis.call('PERSIST', KEYS[2])
end
return answer(1, newLock)
