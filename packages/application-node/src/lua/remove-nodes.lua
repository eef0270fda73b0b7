-- Take all nodes of a client out.
--
-- KEYS[1] nodes    hash: see put-node
-- KEYS[2] clients  zset: clients of the realm that have nodes, scored by when the last of them ends
-- ARGV[1] now      ms since the epoch
-- ARGV[2] client   as the index calls it
--
-- Returns how many had not ended.

local living = 0
for _, node in ipairs(redis.call('HVALS', KEYS[1])) do
  if tonumber(string.match(node, '^%S+ %d+ %d+ (%S+)') or 0) > tonumber(ARGV[1]) then
    living = living + 1
  end
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
return living
