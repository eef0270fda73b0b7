-- Change the data of a token that can still be consumed. Its life stays as it is.
--
-- KEYS[1] token  hash: _v, d data as JSON, x expiresAt, u consumedAt
-- ARGV[1] now    ms since the epoch
-- ARGV[2] data   JSON
--
-- Returns 1 when changed, 0 when there is nothing to change.

local token = redis.call('HMGET', KEYS[1], '_v', 'x', 'u')
if token[1] ~= '1' or tonumber(token[2]) <= tonumber(ARGV[1]) or token[3] then
  return 0
end
redis.call('HSET', KEYS[1], 'd', ARGV[2])
return 1
