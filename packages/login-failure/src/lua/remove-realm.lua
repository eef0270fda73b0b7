-- Forget the records of a realm in one partition, a hundred at most.
--
-- KEYS[1] realm   zset: tails of the keys of a realm, scored by expiresAt, rounded up
-- KEYS[2] head    what every key of the partition starts with
-- KEYS[3] locked  zset: who is locked out; it goes with the last of them
-- ARGV[1] now     ms since the epoch
--
-- Returns {removed, more}: how many were alive, and 1 when there are more.

local tails = redis.call('ZRANGE', KEYS[1], 0, 99)
local removed = 0
for _, tail in ipairs(tails) do
  local key = KEYS[2] .. tail
  local stored = redis.call('HMGET', key, '_v', 'x')
  local ends = string.match(stored[1] or '', '^2 (%d+) ') or stored[2]
  if (tonumber(ends) or 0) > tonumber(ARGV[1]) then
    removed = removed + 1
  end
  --@ local was_there = redis.call('EXISTS', key) == 1
  redis.call('DEL', key)
  redis.call('ZREM', KEYS[1], tail)
  --@ if was_there then changed('login-failure', key, 'removal') end
end
if #tails < 100 then
  redis.call('DEL', KEYS[3])
end
return { removed, #tails == 100 and 1 or 0 }
