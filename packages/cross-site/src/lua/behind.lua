-- Remember records that another site has not heard of, forget those that it has, and name the next.
--
-- KEYS[1] behind  zset: names of records, in the order in which they were remembered; * stands for all of the partition
-- ARGV[1] add     JSON: names
-- ARGV[2] done    JSON: [[name, place]...]; one that was remembered anew meanwhile stays
-- ARGV[3] limit   how many names to answer
--
-- Returns {how many there are, name, place...}.

for _, entry in ipairs(cjson.decode(ARGV[2])) do
  if redis.call('ZSCORE', KEYS[1], entry[1]) == entry[2] then
    redis.call('ZREM', KEYS[1], entry[1])
  end
end
local added = cjson.decode(ARGV[1])
if #added > 0 then
  local last = tonumber(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or '0')
  for i, name in ipairs(added) do
    redis.call('ZADD', KEYS[1], string.format('%.0f', last + i), name)
  end
end
local answer = { redis.call('ZCARD', KEYS[1]) }
if ARGV[3] ~= '0' then
  for _, text in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[3] - 1, 'WITHSCORES')) do
    answer[#answer + 1] = text
  end
end
return answer
