-- Give a token to one caller, and forget it and every index entry that names it.
--
-- KEYS[1] token     see put.lua
-- KEYS[2] realm     zset: tails of the keys of a realm
-- KEYS[3] families  what the key of a family starts with
-- KEYS[4] subjects  what the key of a subject starts with
-- ARGV[1] now       ms since the epoch
-- ARGV[2] tail      the token's key behind its partition
--
-- Returns the token's text, or nothing where none could still be consumed. What cannot be read stays.

local text = redis.call('GET', KEYS[1])
local expires_at, family, subject, rest = string.match(text or '', '^1:(%d+):([^:]*):([^:]*):(.?)')
if not expires_at then
  return text
end
if rest ~= '{' or tonumber(expires_at) <= tonumber(ARGV[1]) then
  return false
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
if family ~= '' then
  redis.call('ZREM', KEYS[3] .. family, ARGV[2])
end
if subject ~= '' then
  redis.call('ZREM', KEYS[4] .. subject, ARGV[2])
end
--@ changed('action-token', KEYS[1], 'removal')
return text
