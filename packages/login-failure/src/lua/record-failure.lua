-- Count a failure, unless locked, and lock as the policy says. What `applyFailure` of rules.ts does.
--
-- KEYS[1] record                    hash: _v, x expiresAt, n failures, t temporary lockouts, o failures of a second
--                                   factor, l lastFailureAt, u lockedUntil, p permanentlyLockedAt, w reason, i lastIp
-- KEYS[2] realm                     zset: tails of the keys of a realm, scored by expiresAt, rounded up
-- KEYS[3] attempts                  zset: reserved attempts, scored by the end of the reservation
-- KEYS[4] locked                    zset: who is locked out, scored by when the lock ends
-- ARGV[1] now                       ms since the epoch
-- ARGV[2] at                        when it happened, ms since the epoch
-- ARGV[3] ip                        may be empty
-- ARGV[4] secondary                 1: a second factor failed
-- ARGV[5] attempt                   the reservation it uses up, may be empty
-- ARGV[6] tail                      the record's key behind its partition
-- ARGV[7] most                      how many records the index may hold, the soonest to end go first, and none is for
--                                   ever; 0: no bound
-- ARGV[8] policy                    failureFactor, quickLoginCheckMs, maxDeltaTimeMs, permanentLockout 1 or 0, L for LINEAR
--                                   or M for MULTIPLE, maxTemporaryLockouts, waitIncrementMs, minimumQuickLoginWaitMs,
--                                   maxFailureWaitMs, maxSecondaryAuthFailures
--
-- Returns n when that, the time, the address and the end that follows are all there is to the record, else {counted,
-- newLock, n, t, o, l, u, p, x, w, i}.

local ROUND = 60000
-- include: never
local now, at, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[7])

if ARGV[5] ~= '' then
  redis.call('ZREM', KEYS[3], ARGV[5])
end

local old = redis.call('HMGET', KEYS[1], '_v', 'x', 'n', 't', 'o', 'l', 'u', 'p', 'w', 'i')

-- The usual case in few steps: a record that never locked, not near a lock, with an end that rounds up as before.
local factor, quickCheck, maxDelta, permanent, rest = string.match(ARGV[8], '^(%d+) (%d+) (%d+) (%d) (.*)$')
factor, quickCheck, maxDelta = tonumber(factor), tonumber(quickCheck), tonumber(maxDelta)
if old[1] == '1' and permanent == '0' and ARGV[4] == '0' and (old[10] or '') == ARGV[3]
  and not (old[4] or old[5] or old[7] or old[8] or old[9]) then
  local x, n, last = tonumber(old[2]) or 0, tonumber(old[3]) or 0, tonumber(old[6]) or 0
  local delta, ends = at - last, at + maxDelta
  if x > now and ends > now and ends < NEVER and math.ceil(ends / ROUND) == math.ceil(x / ROUND)
    and last > 0 and delta >= quickCheck and delta <= maxDelta and n + 1 < factor then
    redis.call('HSET', KEYS[1], 'x', string.format('%.0f', ends), 'n', n + 1, 'l', ARGV[2])
    --@ changed('login-failure', KEYS[1], 'full')
    return n + 1
  end
end

local strategy, maxLockouts, waitIncrement, quickWait, maxWait, maxSecondary =
  string.match(rest, '^(%a) (%d+) (%d+) (%d+) (%d+) (%d+)$')
permanent, maxLockouts = permanent == '1', tonumber(maxLockouts)
local stale = false
if old[1] ~= '1' or (tonumber(old[2]) or 0) <= now then
  stale = old[1] or old[2]
  old = {}
end
local x, n, t, o = tonumber(old[2]) or 0, tonumber(old[3]) or 0, tonumber(old[4]) or 0, tonumber(old[5]) or 0
local last, u, p = tonumber(old[6]) or 0, tonumber(old[7]) or 0, tonumber(old[8]) or 0
local w, ip = old[9] or '', old[10] or ''

if u > at or p > 0 or (permanent and t > maxLockouts) then
  return { 0, '', n, t, o, last, u, p, x, w, ip }
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
  local steps = strategy == 'L' and 1 + n - factor or math.floor(n / factor)
  wait = tonumber(waitIncrement) * steps
end
local quick = wait <= 0 and before > 0 and math.abs(delta) < quickCheck
if quick then
  wait = tonumber(quickWait)
end
if wait > 0 then
  if not pure then
    wait = math.min(tonumber(maxWait), wait)
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

maxSecondary = tonumber(maxSecondary)
if ARGV[4] == '1' then
  o = o + 1
end
if ARGV[4] == '1' and maxSecondary > 0 and o > maxSecondary then
  p, w, newLock = math.max(at, 1), 'secondary-auth-failures', 'permanent'
elseif permanent and (t > maxLockouts or (pure and n >= factor)) then
  p, w, newLock = math.max(at, 1), 'failures', 'permanent'
end

if most == 0 and (pure or p > 0 or (permanent and t > maxLockouts)) then
  x = NEVER
else
  x = math.min(NEVER, math.max(last + maxDelta, u))
end

if x <= now then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[6])
  --@ if old[1] then changed('login-failure', KEYS[1], 'removal') end
  return { 1, newLock, n, t, o, last, u, p, x, w, ip }
end
local fields = { 'x', string.format('%.0f', x), 'n', n, 'l', last == at and ARGV[2] or string.format('%.0f', last) }
local gone = {}
local function write(name, value)
  if value == 0 or value == '' then
    gone[#gone + 1] = name
  else
    fields[#fields + 1] = name
    fields[#fields + 1] = type(value) == 'number' and string.format('%.0f', value) or value
  end
end
if not old[1] then
  write('_v', '1')
end
if t ~= (tonumber(old[4]) or 0) then
  write('t', t)
end
if o ~= (tonumber(old[5]) or 0) then
  write('o', o)
end
if u ~= (tonumber(old[7]) or 0) then
  write('u', u)
end
if p ~= (tonumber(old[8]) or 0) then
  write('p', p)
end
if w ~= (old[9] or '') then
  write('w', w)
end
if ip ~= (old[10] or '') then
  write('i', ip)
end
if stale then
  redis.call('DEL', KEYS[1])
elseif #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone)) -- at most 7
end
redis.call('HSET', KEYS[1], unpack(fields)) -- at most 20

-- Lives in Redis and the index are written when the end of the record rounds up to another instant than before.
local score = math.ceil(x / ROUND) * ROUND
if not old[2] or math.ceil(tonumber(old[2]) / ROUND) * ROUND ~= score then
  -- include: prune, longest
  if x < NEVER then
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', score - now + GRACE))
  else
    redis.call('PERSIST', KEYS[1])
  end
  redis.call('ZADD', KEYS[2], string.format('%.0f', score), ARGV[6])
  prune(KEYS[2], ARGV[1])
  local over = most > 0 and redis.call('ZCARD', KEYS[2]) - most or 0
  if over > 0 then
    local head = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[6])
    for _, tail in ipairs(redis.call('ZRANGE', KEYS[2], 0, math.min(over, 4) - 1)) do
      redis.call('DEL', head .. tail)
      redis.call('ZREM', KEYS[2], tail)
      --@ changed('login-failure', head .. tail, 'removal')
    end
  end
  keep_longest(KEYS[2], now)
end
if newLock ~= '' and most == 0 then
  -- include: longest, locked, prune
  list_lock(KEYS[4], ARGV[6], newLock == 'permanent' and NEVER or u, now)
  prune(KEYS[4], ARGV[1])
end
--@ changed('login-failure', KEYS[1], 'full')
return { 1, newLock, n, t, o, last, u, p, x, w, ip }
