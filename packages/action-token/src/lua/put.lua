-- Store a token, unless its family was revoked or its key is spent.
--
-- KEYS[1] token       hash: _v, d data as JSON, x expiresAt, f family, s subject, u consumedAt, a attempt
-- KEYS[2] realm       zset: tails of the keys of a realm, scored by expiresAt
-- KEYS[3] family      zset: tails of the keys of a family, scored by expiresAt
-- KEYS[4] refused     hash: x until when the family is refused
-- KEYS[5] subject     zset: tails of the keys about a subject, scored by expiresAt
-- ARGV[1] now         ms since the epoch
-- ARGV[2] expiresAt   ms since the epoch
-- ARGV[3] keepMs      how long Redis keeps the token, ms
-- ARGV[4] onlyAbsent  1: refuse when the key is taken
-- ARGV[5] tail        the token's key behind its partition
-- ARGV[6] data        JSON
-- ARGV[7] familyId    escaped, empty for none
-- ARGV[8] subjectId   escaped, empty for none
--
-- Returns 1 when stored, 0 when refused.

local now = tonumber(ARGV[1])

if ARGV[7] ~= '' and tonumber(redis.call('HGET', KEYS[4], 'x') or '0') > now then
  return 0
end

local old = redis.call('HMGET', KEYS[1], '_v', 'x', 'u', 'f', 's')
local taken = old[1] == '1' and tonumber(old[2]) > now
if taken and (old[3] or ARGV[4] == '1') then
  return 0
end

-- A token that is replaced may have belonged to others.
if old[4] and old[4] ~= ARGV[7] then
  redis.call('ZREM', string.sub(KEYS[3], 1, #KEYS[3] - #ARGV[7]) .. old[4], ARGV[5])
end
if old[5] and old[5] ~= ARGV[8] then
  redis.call('ZREM', string.sub(KEYS[5], 1, #KEYS[5] - #ARGV[8]) .. old[5], ARGV[5])
end

redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], '_v', '1', 'd', ARGV[6], 'x', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])

local function index(key)
  redis.call('ZADD', key, ARGV[2], ARGV[5])
  if redis.call('PTTL', key) < tonumber(ARGV[3]) then
    redis.call('PEXPIRE', key, ARGV[3])
  end
  local dead = redis.call('ZRANGEBYSCORE', key, '-inf', ARGV[1], 'LIMIT', 0, 4)
  if #dead > 0 then
    redis.call('ZREM', key, unpack(dead))
  end
end

index(KEYS[2])
if ARGV[7] ~= '' then
  redis.call('HSET', KEYS[1], 'f', ARGV[7])
  index(KEYS[3])
end
if ARGV[8] ~= '' then
  redis.call('HSET', KEYS[1], 's', ARGV[8])
  index(KEYS[5])
end
return 1
