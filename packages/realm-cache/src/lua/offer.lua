-- Put a value that was read from the source in the place of the ticket it was asked for with. Where that is gone, it was
-- declared untrue meanwhile, or another value is there.
--
-- KEYS[1] value       see look.lua
-- KEYS[2] generation  of the region in this partition, and its revision
-- KEYS[3] tags        base to which a tag is appended
-- ARGV[1] ticket     the one that was given out
-- ARGV[2] next       ticket of the value itself
-- ARGV[3] kind       v or n
-- ARGV[4] ends       end here, ms since the epoch
-- ARGV[5] valueEnds  end of the value, ms since the epoch; 0: none
-- ARGV[6] keepMs     how long Redis keeps it, ms
-- ARGV[7] tags       escaped, as JSON
-- ARGV[8] data       the value
-- ARGV[9] tagMs      how long tags last unused, ms: longer than any value
--
-- Returns 1 when it was put, 0 when not.

local text = redis.call('GET', KEYS[1]) or ''
local ticket, begun, at = string.match(text, '^%l1 (%S+) (%S+) (%d+) ')
local generation, revision = string.match(redis.call('GET', KEYS[2]) or '', '^(%S+) (%d+)$')
if ticket ~= ARGV[1] or begun ~= generation then
  return 0
end
-- What was declared untrue stands here, or was evicted: what was asked for before now may be.
for _, name in ipairs(cjson.decode(ARGV[7])) do
  local tag = KEYS[3] .. name
  if not redis.call('SET', tag, generation .. ' ' .. revision, 'PX', ARGV[9], 'NX') then
    redis.call('PEXPIRE', tag, ARGV[9])
  end
end
local head = table.concat({ ARGV[3] .. '1', ARGV[2], begun, at, ARGV[4], ARGV[5], ARGV[7] }, ' ')
redis.call('SET', KEYS[1], head .. '\n' .. ARGV[8], 'PX', ARGV[6])
return 1
