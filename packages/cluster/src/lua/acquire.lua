-- Take a lease that nobody holds.
--
-- KEYS[1] lease        hash: _v, owner, fence, expiresAt, awaited. Its TTL outlives it by the margin
-- KEYS[2] fences       hash: _v, last. Lives as long as the deployment
-- ARGV[1] owner        of this attempt and no other
-- ARGV[2] now          ms since the epoch, by the clock of the caller
-- ARGV[3] leaseMs      ms
-- ARGV[4] marginMs     ms by which Redis may step forward in a failover
-- ARGV[5] waits        1 if the caller goes on trying
--
-- Returns {1 if it was taken, fence of the holder}.

local lease, owner, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local held = redis.call('HMGET', lease, 'owner', 'fence', 'expiresAt')

if held[1] and held[1] ~= owner and now < (tonumber(held[3]) or 0) + tonumber(ARGV[4]) then
  if ARGV[5] == '1' then
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('HDEL', lease, 'awaited')
    redis.call('HSET', lease, 'awaited', '1')
  end
  return { '0', held[2] }
end

-- On a full server too: what frees it may need a lock.
redis.call('DEL', lease)
local fence = held[2]
if held[1] ~= owner then
  -- Not below the clock, so that fences go on growing where a failover lost the last ones.
  fence = string.format('%.0f', math.max(tonumber(redis.call('HGET', KEYS[2], 'last') or '0') + 1, now))
  redis.call('HSET', KEYS[2], '_v', '1', 'last', fence)
end
redis.call('HSET', lease, '_v', '1', 'owner', owner, 'fence', fence, 'expiresAt', string.format('%.0f', now + tonumber(ARGV[3])))
redis.call('PEXPIRE', lease, string.format('%.0f', tonumber(ARGV[3]) + tonumber(ARGV[4])))
return { '1', fence }
