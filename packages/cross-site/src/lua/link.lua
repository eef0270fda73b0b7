-- Note how a link to another site stands, unless somebody else noted it meanwhile.
--
-- KEYS[1] link     hash: v, how often it was noted; flaps; by service how it stands
-- ARGV[1] version  what was noted when this was decided; empty: nothing is noted, it is only read
-- ARGV[2] set      JSON: fields to be written
--
-- Returns {1 when it was noted, else 0, then all fields as recorded, flat}.

local version = redis.call('HGET', KEYS[1], 'v') or '0'
local noted = 0
if ARGV[1] == version then
  noted = 1
  redis.call('HINCRBY', KEYS[1], 'v', 1)
  for field, value in pairs(cjson.decode(ARGV[2])) do
    redis.call('HSET', KEYS[1], field, value)
  end
end
local answer = { noted }
for _, text in ipairs(redis.call('HGETALL', KEYS[1])) do
  answer[#answer + 1] = text
end
return answer
