-- Redeem a token once, and tell a replay from nonsense.
--
-- KEYS[1] token        see put.lua
-- ARGV[1] now          ms since the epoch
-- ARGV[2] readGraceMs  how long an expired token is called expired, ms
-- ARGV[3] attempt      names this try, escaped, empty for none
-- ARGV[4] graceUntil   how long the same attempt is honoured, ms since the epoch; empty: as long as the token lives
-- ARGV[5] successor    what the same attempt gets again, escaped, may be empty
--
-- Returns the token's text from before when this call consumed it; else {'consumed', text} for its attempt again,
-- {'used', text}, or one of {'expired'}, {'unknown'}, {'unreadable'}.

local text = redis.call('GET', KEYS[1])
if not text then
  return { 'unknown' }
end
local expires_at, rest = string.match(text, '^1:(%d+):[^:]*:[^:]*:()')
if not expires_at then
  return { 'unreadable' }
end

local now = tonumber(ARGV[1])
expires_at = tonumber(expires_at)
if expires_at <= now then
  return { expires_at + tonumber(ARGV[2]) > now and 'expired' or 'unknown' }
end
if string.sub(text, rest, rest) == '{' then
  local data = string.sub(text, rest)
  local mark = ARGV[1] .. ':' .. ARGV[4] .. ':' .. ARGV[3] .. ':' .. ARGV[5] .. ':'
  local spent = string.sub(text, 1, rest - 1) .. mark .. data
  if redis.pcall('SET', KEYS[1], spent, 'KEEPTTL').err then
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), expires_at - now))
    redis.call('SET', KEYS[1], spent, 'KEEPTTL')
  end
  --@ changed('action-token', KEYS[1], 'full')
  return text
end

local grace_until, attempt, data = string.match(text, '^%d+:(%d*):([^:]*):[^:]*:(){', rest)
if not data then
  return { 'unreadable' }
end
local honoured = grace_until == '' or tonumber(grace_until) > now
if ARGV[3] ~= '' and ARGV[3] == attempt and honoured then
  return { 'consumed', text }
end
return { 'used', text }
