-- Prolong a lease that this owner holds.
--
-- KEYS[1] lease        hash: _v, owner, fence, expiresAt, awaited. Its TTL outlives it by the margin
-- ARGV[1] owner
-- ARGV[2] now          ms since the epoch, by the clock of the caller
-- ARGV[3] leaseMs      ms
-- ARGV[4] marginMs     ms by which Redis may step forward in a failover
--
-- Returns 1 if it is held.

if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
-- A full server goes on with a script that began with a write that cannot grow.
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(ARGV[3]) + tonumber(ARGV[4])))
redis.call('HSET', KEYS[1], 'expiresAt', string.format('%.0f', tonumber(ARGV[2]) + tonumber(ARGV[3])))
return 1
