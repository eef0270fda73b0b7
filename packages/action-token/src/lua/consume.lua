-- Redeem a token once, and tell a replay from nonsense.
--
-- KEYS[1] token        hash: _v, d data as JSON, x expiresAt, u consumedAt, a attempt, g graceUntil, n successor
-- ARGV[1] now          ms since the epoch
-- ARGV[2] readGraceMs  how long an expired token is called expired, ms
-- ARGV[3] attempt      names this try, empty for none
-- ARGV[4] graceUntil   how long the same attempt is honoured, ms since the epoch; empty: as long as the token lives
-- ARGV[5] successor    what the same attempt gets again, may be empty
--
-- Returns {outcome, data, consumedAt, successor}: outcome is consumed, used, expired, unknown or unreadable.

local token = redis.call('HMGET', KEYS[1], '_v', 'd', 'x', 'u', 'a', 'g', 'n')
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
  local honoured = not token[6] or tonumber(token[6]) > now
  if ARGV[3] ~= '' and ARGV[3] == token[5] and honoured then
    return { 'consumed', token[2], token[4], token[7] or '' }
  end
  return { 'used', token[2], token[4] }
end

redis.call('HSET', KEYS[1], 'u', ARGV[1], 'a', ARGV[3])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'g', ARGV[4])
end
if ARGV[5] ~= '' then
  redis.call('HSET', KEYS[1], 'n', ARGV[5])
end
return { 'consumed', token[2], ARGV[1], ARGV[5] }
