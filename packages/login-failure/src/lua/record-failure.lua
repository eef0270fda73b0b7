-- Count a failure, unless locked, and lock as the policy says. What `applyFailure` of rules.ts does.
--
-- KEYS[1] record                    hash: _v; what it holds: x expiresAt, n failures, t temporary lockouts, o failures of a second
--                                   factor, l lastFailureAt, u lockedUntil, p permanentlyLockedAt, w reason, i lastIp
-- ARGV[1] now                       ms since the epoch
-- ARGV[2] ip                        may be empty
-- ARGV[3] attempt                   the reservation it uses up, may be empty
-- ARGV[4] policy                    failureFactor, quickLoginCheckMs, maxDeltaTimeMs, permanentLockout 1 or 0, L for LINEAR
--                                   or M for MULTIPLE, maxTemporaryLockouts, waitIncrementMs, minimumQuickLoginWaitMs,
--                                   maxFailureWaitMs, maxSecondaryAuthFailures
-- ARGV[5] layout                    of what is written; a record that has a later one keeps it
-- ARGV[6] seldom                    left out: it happens now, with a first factor, to a user or network; else when it happened,
--                                   1 where a second factor failed, and how many records the index may hold: the soonest to
--                                   end go first, and none is for ever; 0: no bound
--
-- The indexes of its realm, zsets, lie in the same slot and are spelt here, where there is something to write into them: tails of keys
-- scored by expiresAt, rounded up; who is locked out, scored by the end of the lock; reserved attempts, scored by their end.
--
-- Returns n when that, the time, the address and the end that follows are all there is to the record, else {counted,
-- newLock, n, t, o, l, u, p, x, w, i}.

local ROUND = 60000
-- include: never
local now = ARGV[1] + 0
if ARGV[3] ~= '' then
  local before, kind, behind = string.match(KEYS[1], '^(.*{%x%x}:l)(%a)(:.*)$')
  local attempts = { f = 'g', a = 'h', d = 'e' }
  redis.call('ZREM', before .. attempts[kind] .. behind, ARGV[3])
end
local stored = redis.call('HMGET', KEYS[1], '_v', 's', 'i')

-- The usual case in few steps: a record that never locked, not near a lock, with an end that rounds up as before.
local factor, quickCheck, maxDelta, permanent, rest = string.match(ARGV[4], '^(%d+) (%d+) (%d+) (%d) ()')
local oldX, oldN, oldLast = string.match(stored[1] or '', '^2 (%d+) (%d+) (%d+)$')
factor, quickCheck, maxDelta, oldX = factor + 0, quickCheck + 0, maxDelta + 0, (oldX or 0) + 0
local isUsual = oldX > now and not stored[2]
if isUsual and permanent == '0' and not ARGV[6] and (stored[3] or '') == ARGV[2] then
  local n, last = oldN + 1, oldLast + 0
  local delta, ends = now - last, now + maxDelta
  if ends > now and ends < NEVER and math.ceil(ends / ROUND) == math.ceil(oldX / ROUND)
    and last > 0 and delta >= quickCheck and delta <= maxDelta and n < factor then
    redis.call('HSET', KEYS[1], '_v', string.format('2 %.0f %.0f %s', ends, n, ARGV[1]))
    --@ changed('login-failure', KEYS[1], 'full')
    return n
  end
end

local head, tail = string.match(KEYS[1], '^(.*{%x%x}:)(.*)$')
local kind, realm = string.match(tail, '^(l%a):([^:]*)')
local at, secondary, most = string.match(ARGV[6] or ARGV[1] .. ' 0 0', '^(%d+) (%d) (%d+)$')
at, most = tonumber(at), tonumber(most)

local strategy, maxLockouts, waitIncrement, quickWait, maxWait, maxSecondary =
  string.match(ARGV[4], '^(%a) (%d+) (%d+) (%d+) (%d+) (%d+)$', rest)
permanent, maxLockouts = permanent == '1', tonumber(maxLockouts)
local x, n, t, o, last, u, p, w, ip = 0, 0, 0, 0, 0, 0, 0, '', ''
local layout
local was_there = stored[1] or stored[2] or stored[3]
if isUsual then
  x, n, last, ip, layout = oldX, tonumber(oldN), tonumber(oldLast), stored[3] or '', '2'
elseif was_there then
  -- include: record
  local state
  state, layout = read_record(KEYS[1], stored)
  oldX = state and tonumber(state[7]) or 0
  if oldX > now then
    x, n, t, o = oldX, tonumber(state[1]) or 0, tonumber(state[2]) or 0, tonumber(state[3]) or 0
    last, u, p = tonumber(state[4]) or 0, tonumber(state[5]) or 0, tonumber(state[6]) or 0
    w, ip = state[8], state[9]
  else
    layout = nil
  end
end

if u > at or p > 0 or (permanent and t > maxLockouts) then
  return { 0, '', n, t, o, last, u, p, x, w, ip }
end

local pure = permanent and maxLockouts == 0
local before = last
local delta = 0
if before > 0 then
  delta = at - before
end
if ARGV[2] ~= '' then
  ip = ARGV[2]
end
if not pure and delta > maxDelta then
  n, t, u, ip = 0, 0, 0, ARGV[2]
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
if secondary == '1' then
  o = o + 1
end
if secondary == '1' and maxSecondary > 0 and o > maxSecondary then
  p, w, newLock = math.max(at, 1), 'secondary-auth-failures', 'permanent'
elseif permanent and (t > maxLockouts or (pure and n >= factor)) then
  p, w, newLock = math.max(at, 1), 'failures', 'permanent'
end

if most == 0 and (pure or p > 0 or (permanent and t > maxLockouts)) then
  x = NEVER
else
  x = math.min(NEVER, math.max(last + maxDelta, u))
end

local all = head .. (kind == 'ld' and 'lu:' or 'lr:') .. realm
if x <= now then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', all, tail)
  --@ if was_there then changed('login-failure', KEYS[1], 'removal') end
  return { 1, newLock, n, t, o, last, u, p, x, w, ip }
end
if was_there and not layout then
  redis.call('DEL', KEYS[1])
  stored, oldX = {}, 0
end
if layout == '2' or (not layout and ARGV[5] == '2') then
  local seldom = ''
  if t > 0 or o > 0 or u > 0 or p > 0 or w ~= '' then
    seldom = string.format('%.0f %.0f %.0f %.0f %s', t, o, u, p, w)
  end
  local fields = { '_v', string.format('2 %.0f %.0f %.0f', x, n, last) }
  local function put(name, value, before)
    if value == '' and before ~= '' then
      redis.call('HDEL', KEYS[1], name)
    elseif value ~= before then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  put('s', seldom, stored[2] or '')
  put('i', ip, stored[3] or '')
  redis.call('HSET', KEYS[1], unpack(fields)) -- at most 6
else
  -- include: record
  write_record(KEYS[1], { n, t, o, last, u, p, x, w, ip }, ARGV[5], layout)
end

-- Lives in Redis and the index are written when the end of the record rounds up to another instant than before.
local score = math.ceil(x / ROUND) * ROUND
if oldX == 0 or math.ceil(oldX / ROUND) * ROUND ~= score then
  -- include: prune, longest
  if x < NEVER then
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', score - now + GRACE))
  else
    redis.call('PERSIST', KEYS[1])
  end
  redis.call('ZADD', all, string.format('%.0f', score), tail)
  prune(all, ARGV[1])
  local over = most > 0 and redis.call('ZCARD', all) - most or 0
  if over > 0 then
    for _, first in ipairs(redis.call('ZRANGE', all, 0, math.min(over, 4) - 1)) do
      redis.call('DEL', head .. first)
      redis.call('ZREM', all, first)
      --@ changed('login-failure', head .. first, 'removal')
    end
  end
  keep_longest(all, now)
end
if newLock ~= '' and most == 0 then
  -- include: longest, locked, prune
  local locked = head .. 'll:' .. realm
  list_lock(locked, tail, newLock == 'permanent' and NEVER or u, now)
  prune(locked, ARGV[1])
end
--@ changed('login-failure', KEYS[1], 'full')
return { 1, newLock, n, t, o, last, u, p, x, w, ip }
