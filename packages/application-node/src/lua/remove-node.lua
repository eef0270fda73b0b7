-- Take a node out.
--
-- KEYS[1] nodes    hash: see put-node
-- KEYS[2] clients  zset: clients of the realm that have nodes, scored by when the last of them ends
-- ARGV[1] now      ms since the epoch
-- ARGV[2] host
-- ARGV[3] source   only one of this source; empty for any
-- ARGV[4] client   as the index calls it
--
-- Returns 1 where it was there and had not ended, else 0.

local source, ends = string.match(redis.call('HGET', KEYS[1], ARGV[2]) or '', '^(%S+) %d+ %d+ (%S+)')
if not source or (ARGV[3] ~= '' and source ~= ARGV[3]) then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[4])
end
return tonumber(ends) > tonumber(ARGV[1]) and 1 or 0
