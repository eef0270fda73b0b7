-- Forget a token and every index entry that names it.
--
-- KEYS[1] token     hash: x expiresAt, f family, s subject
-- KEYS[2] realm     zset: tails of the keys of a realm
-- KEYS[3] families  what the key of a family starts with
-- KEYS[4] subjects  what the key of a subject starts with
-- ARGV[1] now       ms since the epoch
-- ARGV[2] tail      the token's key behind its partition
--
-- Returns 1 when the token had not expired, else 0.

local token = redis.call('HMGET', KEYS[1], 'x', 'f', 's')
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
if token[2] then
  redis.call('ZREM', KEYS[3] .. token[2], ARGV[2])
end
if token[3] then
  redis.call('ZREM', KEYS[4] .. token[3], ARGV[2])
end
return tonumber(token[1] or '0') > tonumber(ARGV[1]) and 1 or 0
