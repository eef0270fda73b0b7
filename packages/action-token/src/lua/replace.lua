-- Change the data of a token that can still be consumed. Its life stays as it is.
--
-- KEYS[1] token  see put.lua
-- ARGV[1] now    ms since the epoch
-- ARGV[2] data   JSON
--
-- Returns 1 when changed, 0 when there is nothing to change.

local text = redis.call('GET', KEYS[1]) or ''
local expires_at, data = string.match(text, '^1:(%d+):[^:]*:[^:]*:(){')
if not expires_at or tonumber(expires_at) <= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], string.sub(text, 1, data - 1) .. ARGV[2], 'KEEPTTL')
--@ changed('action-token', KEYS[1], 'full')
return 1
