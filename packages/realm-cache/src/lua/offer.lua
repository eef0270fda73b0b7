-- Put a value that was read from the source in the place of the ticket it was asked for with. Where that is gone, it was
-- declared untrue meanwhile, or another value is there.
--
-- KEYS[1] value      see look.lua
-- ARGV[1] ticket     the one that was given out
-- ARGV[2] next       ticket of the value itself
-- ARGV[3] kind       v or n
-- ARGV[4] ends       end here, ms since the epoch
-- ARGV[5] valueEnds  end of the value, ms since the epoch; 0: none
-- ARGV[6] keepMs     how long Redis keeps it, ms
-- ARGV[7] tags       escaped, as JSON
-- ARGV[8] data       the value
--
-- Returns 1 when it was put, 0 when not.

local text = redis.call('GET', KEYS[1]) or ''
local ticket, begun_at = string.match(text, '^%l1 (%S+) (%S+ %d+) ')
if ticket ~= ARGV[1] then
  return 0
end
local head = table.concat({ ARGV[3] .. '1', ARGV[2], begun_at, ARGV[4], ARGV[5], ARGV[7] }, ' ')
redis.call('SET', KEYS[1], head .. '\n' .. ARGV[8], 'PX', ARGV[6])
return 1
