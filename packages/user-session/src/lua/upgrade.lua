-- Bring a record of an older form up to date, unless it changed meanwhile.
--
-- KEYS[1] session  hash: of whatever form, its version in t
-- ARGV[1] before   JSON: its fields as they were read
-- ARGV[2] after    JSON: its fields as they shall be
--
-- Returns 1 when it was changed.

local before, after = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local now = redis.call('HGETALL', KEYS[1])
local fields = 0
for _ in pairs(before) do
  fields = fields + 1
end
if #now ~= 2 * fields then
  return 0
end
for i = 1, #now, 2 do
  if before[now[i]] ~= now[i + 1] then
    return 0
  end
end

-- A full server goes on with a script that began with a write that cannot grow.
redis.call('HDEL', KEYS[1], '')
for name in pairs(before) do
  if not after[name] then
    redis.call('HDEL', KEYS[1], name)
  end
end
for name, value in pairs(after) do
  redis.call('HSET', KEYS[1], name, value)
end
return 1
