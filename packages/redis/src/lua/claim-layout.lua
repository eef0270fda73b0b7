-- Record how many partitions this deployment has, once, and answer what is recorded.
--
-- KEYS[1] layout      hash: partitions, _v. Lives as long as the deployment
-- ARGV[1] partitions  what this node is configured with
-- ARGV[2] version     version of the key layout
--
-- Returns {partitions, version} as recorded.

if redis.call('EXISTS', KEYS[1]) == 0 then
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('UNLINK', KEYS[1])
  redis.call('HSET', KEYS[1], 'partitions', ARGV[1], '_v', ARGV[2])
end
return redis.call('HMGET', KEYS[1], 'partitions', '_v')
