-- List the sessions that may bear an alias, a hundred at most: those that end last.
--
-- KEYS[1] pointer  zset: ids of sessions, scored by expiresAt
-- ARGV[1] now      ms since the epoch
--
-- Returns {id...}.

local first = redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1])
local ids = redis.call('ZRANGE', KEYS[1], -100, -1)
local living = redis.call('ZCARD', KEYS[1]) - first
while #ids > living do
  table.remove(ids, 1)
end
return ids
