-- Let go of what a partition keeps for consumers that are told no more.
--
-- KEYS[1] notes    stream: an entry per change
-- KEYS[2] had      hash: by consumer the id of the last note that it has had
-- KEYS[3] leases   base to which the name of a consumer is appended
-- ARGV[1] dropped  JSON: their names
-- ARGV[2] isLast   1: nobody else is told of changes
--
-- Returns 1.

for _, name in ipairs(cjson.decode(ARGV[1])) do
  redis.call('HDEL', KEYS[2], name)
  redis.call('DEL', KEYS[3] .. name)
end
if ARGV[2] == '1' then
  redis.call('UNLINK', KEYS[1], KEYS[2])
end
return 1
