-- Forget the records of a realm in one partition, a hundred at most.
--
-- KEYS[1] realm  zset: tails of the keys of a realm, scored by expiresAt
-- KEYS[2] head   what every key of the partition starts with
-- ARGV[1] now    ms since the epoch
--
-- Returns {removed, more}: how many were alive, and 1 when there are more.

local tails = redis.call('ZRANGE', KEYS[1], 0, 99, 'WITHSCORES')
local removed = 0
for index = 1, #tails, 2 do
  redis.call('DEL', KEYS[2] .. tails[index])
  redis.call('ZREM', KEYS[1], tails[index])
  if tonumber(tails[index + 1]) > tonumber(ARGV[1]) then
    removed = removed + 1
  end
end
return { removed, #tails == 200 and 1 or 0 }
