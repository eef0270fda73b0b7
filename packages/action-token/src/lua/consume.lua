-- Redeem a token once, and tell a replay from nonsense.
--
-- KEYS[1] token        hash: _v, d data as JSON, x expiresAt, u consumedAt, a attempt
-- ARGV[1] now          ms since the epoch
-- ARGV[2] readGraceMs  how long an expired token is called expired, ms
-- ARGV[3] attempt      names this try, empty for none
--
-- Returns {outcome, data, consumedAt}: outcome is consumed, used, expired, unknown or unreadable.

local token = redis.call('HMGET', KEYS[1], '_v', 'd', 'x', 'u', 'a')
if not token[3] and not token[1] then
  return { 'unknown' }
end
if token[1] ~= '1' then
  return { 'unreadable' }
end

local now = tonumber(ARGV[1])
local expires_at = tonumber(token[3])
if expires_at <= now then
  return { expires_at + tonumber(ARGV[2]) > now and 'expired' or 'unknown' }
end
if token[4] then
  if ARGV[3] ~= '' and ARGV[3] == token[5] then
    return { 'consumed', token[2] }
  end
  return { 'used', token[2], token[4] }
end

redis.call('HSET', KEYS[1], 'u', ARGV[1], 'a', ARGV[3])
return { 'consumed', token[2] }
