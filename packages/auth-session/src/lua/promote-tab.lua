-- Hand a tab over, unless somebody has it already.
--
-- KEYS[1] root  hash: see get-or-create-root
-- ARGV[1] now   ms since the epoch
-- ARGV[2] tab   id of the tab
--
-- Returns {head, data} of the tab; nothing when it is gone or was handed over before.

local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], '_v', 'x', 't:' .. ARGV[2], 'd:' .. ARGV[2])
if held[1] ~= '1' or (tonumber(held[2]) or 0) <= now or not held[3] or not held[4] then return false end
local created, serial, client = string.match(held[3], '^(%d+) (%d+) 0 (.+)$')
if not created then return false end
local head = created .. ' ' .. serial .. ' ' .. ARGV[1] .. ' ' .. client
redis.call('HSET', KEYS[1], 't:' .. ARGV[2], head)
--@ changed('auth-session', KEYS[1], 'full')
return {head, held[4]}
