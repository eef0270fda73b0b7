-- Recompute when the records of a realm end, about a hundred of one partition. What `expiryOf` of rules.ts says.
--
-- KEYS[1] realm                 zset: tails of the keys of a realm, scored by expiresAt, rounded up
-- KEYS[2] head                  what every key of the partition starts with
-- KEYS[3] locked                zset: who is locked out, scored by when the lock ends
-- ARGV[1] now                   ms since the epoch
-- ARGV[2] cursor                where to go on, 0 at first
-- ARGV[3] users                 1: users are counted, 0: their records go
-- ARGV[4] permanentLockout      1 or 0
-- ARGV[5] maxTemporaryLockouts  a count
-- ARGV[6] maxDeltaTimeMs        ms
-- ARGV[7] addresses             1: addresses are counted, 0: their records go
-- ARGV[8] addressMaxDeltaTimeMs ms
-- ARGV[9] addressKind           what the tail of an address's record starts with
--
-- Returns {cursor, updated, removed}; cursor 0 at the end.

local ROUND = 60000
-- include: never, longest, locked, record
local now = tonumber(ARGV[1])
local pure = ARGV[4] == '1' and tonumber(ARGV[5]) == 0
local updated, removed = 0, 0

-- A full server goes on with a script that began with a write that cannot grow.
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[1])

-- Whoever is in the set from the first call to the last is met at least once, also when scores change.
local found = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', 100)

local function apply(tail)
  local key = KEYS[2] .. tail
  local state, layout = stored_record(key)
  local before = state and tonumber(state[7]) or 0
  if before <= now then
    return
  end
  local address = string.sub(tail, 1, #ARGV[9]) == ARGV[9]
  local t, last, u, p =
    tonumber(state[2]) or 0, tonumber(state[4]) or 0, tonumber(state[5]) or 0, tonumber(state[6]) or 0
  local x = 0
  if address then
    if ARGV[7] == '1' then
      x = math.min(NEVER, math.max(last + tonumber(ARGV[8]), u))
    end
  elseif ARGV[3] == '1' then
    x = math.min(NEVER, math.max(last + tonumber(ARGV[6]), u))
    if pure or p > 0 or (ARGV[4] == '1' and t > tonumber(ARGV[5])) then
      x = NEVER
    end
  end
  if x <= now then
    redis.call('DEL', key)
    redis.call('ZREM', KEYS[1], tail)
    list_lock(KEYS[3], tail, 0, now)
    removed = removed + 1
    --@ changed('login-failure', key, 'removal')
  elseif x ~= before then
    if x < NEVER then
      redis.call('PEXPIRE', key, string.format('%.0f', math.ceil(x / ROUND) * ROUND - now + GRACE))
    else
      redis.call('PERSIST', key)
    end
    state[7] = x
    write_record(key, state, layout, layout)
    redis.call('ZADD', KEYS[1], string.format('%.0f', math.ceil(x / ROUND) * ROUND), tail)
    updated = updated + 1
    --@ changed('login-failure', key, 'touch')
  end
  if x > now and (t > 0 or u > 0 or p > 0) then
    local for_good = p > 0 or (not address and ARGV[4] == '1' and t > tonumber(ARGV[5]))
    list_lock(KEYS[3], tail, for_good and NEVER or u, now)
  end
end

for index = 1, #found[2], 2 do
  apply(found[2][index])
end

keep_longest(KEYS[1], now)
return { found[1], updated, removed }
