-- Exchange a refresh token that belongs to no stored session; a replay ends its family.
--
-- KEYS[1] family     hash: _v, f family, x expiresAt, e what ended held of its realm
-- KEYS[2] ended      string: what removals have ended of the realm
-- ARGV[1] now        ms since the epoch
-- ARGV[2] presented  escaped id of the token presented
-- ARGV[3] successor  escaped id of the token to be issued
-- ARGV[4] issuedAt   of the token presented, ms since the epoch
-- ARGV[5] maxReuse   presentations beyond the first
-- ARGV[6] attempt    escaped name of the request, empty for none
-- ARGV[7] graceMs    how long that name gets the same successor
-- ARGV[8] expiresAt  keep the family at least until then, ms since the epoch
--
-- Returns {outcome, successor}: outcome is rotated, reused, stale, foreign or gone.

-- include: grace, rotation
local now = tonumber(ARGV[1])
local kept = redis.call('HMGET', KEYS[1], '_v', 'f', 'x', 'e')
local expires = tonumber(kept[3] or '0')
local known = kept[1] == '1' and expires > now and kept[2] or nil

-- A token issued in the very millisecond of a removal may have come before it: in doubt it is refused.
local ended = redis.call('GET', KEYS[2])
if ended and (known and kept[4] ~= ended or not known and tonumber(ARGV[4]) <= math.floor(tonumber(string.match(ended, '^%d+')) / 1000)) then
  return { 'gone' }
end

local outcome, successor, family = decide(known, 0, ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]))
if outcome == 'reused' or outcome == 'stale' then
  family = '0:' .. ARGV[1] .. ':::'
end
if known then
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('HDEL', KEYS[1], '')
end
expires = math.max(expires, tonumber(ARGV[8]))
redis.call('HSET', KEYS[1], '_v', '1', 'f', family or known, 'x', string.format('%.0f', expires), 'e', ended or '')
redis.call('PEXPIRE', KEYS[1], expires - now + GRACE)
--@ changed('user-session-tokens', KEYS[1], 'full')
return { outcome, successor }
