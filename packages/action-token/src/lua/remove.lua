-- Forget a token and every index entry that names it.
--
-- KEYS[1] token     see put.lua
-- KEYS[2] realm     zset: tails of the keys of a realm
-- KEYS[3] families  what the key of a family starts with
-- KEYS[4] subjects  what the key of a subject starts with
-- ARGV[1] now       ms since the epoch
-- ARGV[2] tail      the token's key behind its partition
--
-- Returns 1 when the token had not expired, else 0.

local text = redis.call('GET', KEYS[1]) or ''
local expires_at, family, subject = string.match(text, '^1:(%d+):([^:]*):([^:]*):')
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
--@ if text ~= '' then changed('action-token', KEYS[1], 'removal') end
if not expires_at then
  return 0
end
if family ~= '' then
  redis.call('ZREM', KEYS[3] .. family, ARGV[2])
end
if subject ~= '' then
  redis.call('ZREM', KEYS[4] .. subject, ARGV[2])
end
return tonumber(expires_at) > tonumber(ARGV[1]) and 1 or 0
