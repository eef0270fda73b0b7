-- Say which site this deployment is, once, and note what is known of others.
--
-- KEYS[1] site   hash: site, epoch, others, protocol, membership, members; offline:<site>, offline:<site>/<service>, seen:<site>: ms since the epoch
-- ARGV[1] site   what this node is configured with
-- ARGV[2] epoch  any text that nobody else has
-- ARGV[3] set    JSON: fields to be written; empty to be taken away
--
-- Returns all fields as recorded, flat.

redis.call('HSETNX', KEYS[1], 'site', ARGV[1])
redis.call('HSETNX', KEYS[1], 'epoch', ARGV[2])
if redis.call('HGET', KEYS[1], 'site') == ARGV[1] then
  for field, value in pairs(cjson.decode(ARGV[3])) do
    if value == '' then
      redis.call('HDEL', KEYS[1], field)
    else
      redis.call('HSET', KEYS[1], field, value)
    end
  end
end
return redis.call('HGETALL', KEYS[1])
