-- Declare untrue what is in one partition of a region: keys, what carries one of some tags, or everything.
--
-- KEYS[1] generation  of the region in this partition, and its revision
-- KEYS[2] values      base to which a key is appended
-- KEYS[3] tags        base to which a tag is appended
-- ARGV[1] keys        escaped, as JSON
-- ARGV[2] names       tags, escaped, as JSON
-- ARGV[3] fresh       generation to begin: everything is untrue; empty for none
-- ARGV[4] keepMs      how long generations and tags last unused, ms: longer than any value
--
-- Returns 1.

for _, key in ipairs(cjson.decode(ARGV[1])) do
  redis.call('DEL', KEYS[2] .. key)
end
if ARGV[3] ~= '' then
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('UNLINK', KEYS[1])
  redis.call('SET', KEYS[1], ARGV[3] .. ' 0', 'PX', ARGV[4])
  return 1
end

local names = cjson.decode(ARGV[2])
local generation, revision = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
-- Without a generation there is nothing that could be true.
if generation and #names > 0 then
  local declared = string.format('%s %d', generation, tonumber(revision) + 1)
  redis.call('UNLINK', KEYS[1])
  redis.call('SET', KEYS[1], declared, 'PX', ARGV[4])
  for _, name in ipairs(names) do
    redis.call('SET', KEYS[3] .. name, declared, 'PX', ARGV[4])
  end
end
return 1
