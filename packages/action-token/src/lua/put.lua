-- Store a token, unless its family was revoked or its key is spent.
--
-- The keys of its family and subject lie in the same slot and are spelt here, where there is one.
--
-- KEYS[1] token       hash: _v, d data as JSON, x expiresAt, f family, s subject, u consumedAt, a attempt
-- KEYS[2] realm       zset: tails of the keys of a realm, scored by expiresAt
-- ARGV[1] now         ms since the epoch
-- ARGV[2] expiresAt   ms since the epoch
-- ARGV[3] keepMs      how long Redis keeps the token, ms
-- ARGV[4] onlyAbsent  1: refuse when the key is taken
-- ARGV[5] data        JSON
-- ARGV[6] familyId    escaped, empty for none
-- ARGV[7] subjectId   escaped, empty for none
--
-- Returns 1 when stored, 0 when refused.

local now = tonumber(ARGV[1])
local head = string.match(KEYS[2], '^(.*{%x%x}:)')
local realm = string.sub(KEYS[2], #head + #'ar:')
local tail = string.sub(KEYS[1], #head + 1)

if ARGV[6] ~= '' then
  local refused = head .. 'ax' .. realm .. ':' .. ARGV[6]
  if tonumber(redis.call('HGET', refused, 'x') or '0') > now then
    return 0
  end
end

local old = redis.call('HMGET', KEYS[1], '_v', 'x', 'u', 'f', 's')
local taken = old[1] == '1' and tonumber(old[2]) > now
if taken and (old[3] or ARGV[4] == '1') then
  return 0
end

-- A token that is replaced may have belonged to others.
if old[4] and old[4] ~= ARGV[6] then
  redis.call('ZREM', head .. 'af' .. realm .. ':' .. old[4], tail)
end
if old[5] and old[5] ~= ARGV[7] then
  redis.call('ZREM', head .. 'as' .. realm .. ':' .. old[5], tail)
end
if old[1] or old[2] then
  redis.call('DEL', KEYS[1])
end

local function index(key)
  redis.call('ZADD', key, ARGV[2], tail)
  if redis.call('PTTL', key) < tonumber(ARGV[3]) then
    redis.call('PEXPIRE', key, ARGV[3])
  end
  -- One in four, by the last digit of a time, takes dead entries out: more than come in.
  if tonumber(ARGV[2]) % 4 == 0 then
    local dead = redis.call('ZRANGEBYSCORE', key, '-inf', ARGV[1], 'LIMIT', 0, 16)
    if #dead > 0 then
      redis.call('ZREM', key, unpack(dead))
    end
  end
end

local fields = { '_v', '1', 'd', ARGV[5], 'x', ARGV[2] }
if ARGV[6] ~= '' then
  fields[7], fields[8] = 'f', ARGV[6]
  index(head .. 'af' .. realm .. ':' .. ARGV[6])
end
if ARGV[7] ~= '' then
  fields[#fields + 1] = 's'
  fields[#fields + 1] = ARGV[7]
  index(head .. 'as' .. realm .. ':' .. ARGV[7])
end
index(KEYS[2])
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
