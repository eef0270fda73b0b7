-- Note that a session is in use, and answer its new times only.
--
-- KEYS[1] session  hash: t times
-- ARGV[1] now      ms since the epoch
-- ARGV[2] life     spans of the session, ms
--
-- Returns its field of times, or nil when it is gone.

local now = tonumber(ARGV[1])
local found = redis.call('HGET', KEYS[1], 't')
local started, refreshed, expires, score, flag = string.match(found or '', '^v1 (%d+) (%d+) (%d+) (%d+)(r?)$')
if not started or tonumber(expires) <= now then
  return false
end

-- The usual case in few steps: later than before, by plain time-outs, near enough to what the indexes say.
local idle, max = string.match(ARGV[2], '^(%d+) (%d+)$')
if idle and tonumber(refreshed) <= now and refreshed + idle > now then
  local ends = now + idle
  if max ~= '0' and started + max < ends then
    ends = started + max
  end
  local lag = ends - score
  if lag >= 0 and lag <= idle / 30 and lag <= 60000 and ends > now and ends < 2 ^ 53 then
    local text = 'v1 ' .. started .. ' ' .. ARGV[1] .. ' ' .. string.format('%.0f', ends) .. ' ' .. score .. flag
    redis.call('HSET', KEYS[1], 't', text)
    return text
  end
end

-- include: lag, times, life, settling, opening
local t, lives = open(KEYS[1], ARGV[2], now)
if not t then
  return false
end
t.refreshed = math.max(t.refreshed, now)
t.expires = ending(t, lives, latest(t, lives))
local text = settle(KEYS[1], t, now, lives.idle)
return text
