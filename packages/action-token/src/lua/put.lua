-- Store a token, unless its family was revoked or its key is spent.
--
-- A token is one text, its parts escaped so that ':' ends each: format version, expiresAt, family, subject; of one that
-- was consumed consumedAt, graceUntil, attempt and successor; and last its data, an object of JSON.
--
-- The keys of its family and subject lie in the same slot and are spelt here, where there is one.
--
-- KEYS[1] token       string: the text
-- KEYS[2] realm       zset: tails of the keys of a realm, scored by expiresAt
-- ARGV[1] now         ms since the epoch
-- ARGV[2] expiresAt   ms since the epoch
-- ARGV[3] keepMs      how long Redis keeps the token, ms
-- ARGV[4] onlyAbsent  1: refuse when the key is taken
-- ARGV[5] text        of a token that was not consumed
--
-- Returns 1 when stored, 0 when refused.

local now = tonumber(ARGV[1])
local head = string.match(KEYS[2], '^(.*{%x%x}:)')
local realm = string.sub(KEYS[2], #head + #'ar:')
local tail = string.sub(KEYS[1], #head + 1)
local family, subject = string.match(ARGV[5], '^1:%d+:([^:]*):([^:]*):')

if family ~= '' then
  local refused = head .. 'ax' .. realm
  if tonumber(redis.call('ZSCORE', refused, family) or '0') > now then
    return 0
  end
  -- Once each family had a hash of its own.
  if tonumber(redis.call('HGET', refused .. ':' .. family, 'x') or '0') > now then
    return 0
  end
end

local absent = redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[3], 'NX')
if not absent then
  local old = redis.call('GET', KEYS[1])
  local expires_at, old_family, old_subject, rest = string.match(old, '^1:(%d+):([^:]*):([^:]*):(.?)')
  local taken = expires_at and tonumber(expires_at) > now
  if taken and (rest ~= '{' or ARGV[4] == '1') then
    return 0
  end
  -- A token that is replaced may have belonged to others.
  if expires_at and old_family ~= '' and old_family ~= family then
    redis.call('ZREM', head .. 'af' .. realm .. ':' .. old_family, tail)
  end
  if expires_at and old_subject ~= '' and old_subject ~= subject then
    redis.call('ZREM', head .. 'as' .. realm .. ':' .. old_subject, tail)
  end
  redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[3])
end

-- include: enter
-- One in four, by the last digits of the time, takes dead entries out: more than come in.
local prune_at = now % 4 == 0 and ARGV[1]
local function index(key)
  enter(key, ARGV[2], tail, ARGV[3], prune_at)
end

if family ~= '' then
  index(head .. 'af' .. realm .. ':' .. family)
end
if subject ~= '' then
  index(head .. 'as' .. realm .. ':' .. subject)
end
index(KEYS[2])
--@ changed('action-token', KEYS[1], 'full')
return 1
