-- Note that a session is in use, and answer its new times only.
--
-- KEYS[1] session  hash: t times
-- ARGV[1] now      ms since the epoch
-- ARGV[2] life     spans of the session, ms
-- ARGV[3] layout   to write in
-- ARGV[4] evicted  1 to look whether indexes were evicted; left out, they are not
--
-- Returns its field of times, or nil when it is gone.

local now = tonumber(ARGV[1])
local found = redis.call('HGET', KEYS[1], 't')
local version, started, refreshed, expires, score, own, flag, behind = string.match(found or '', '^v([12]) (%d+) (%d+) (%d+) (%d+)(o?)(r?)(.*)$')
if not version or expires - now <= 0 then
  return false
end

-- include: lag, spans, usual
local idle, max, not_before = spans_of(ARGV[2], flag == 'r')
local ends = usual_end(idle, max, started, refreshed, now)
local lost = false
if ARGV[4] and math.floor(now / 1000) ~= math.floor(refreshed / 1000) then
  -- include: keys, missing
  lost = missing(KEYS[1], '', now, refreshed)
end
if not lost and ends and (version == '2' or ARGV[3] == '1') and started - not_before >= 0 and not astray(ends, score + 0, idle) then
  local text = 'v' .. version .. ' ' .. started .. ' ' .. ARGV[1] .. ' ' .. string.format('%.0f', ends) .. ' ' .. score .. own .. flag .. behind
  if type(redis.pcall('HSET', KEYS[1], 't', text)) == 'table' then
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('HDEL', KEYS[1], '')
    redis.call('HSET', KEYS[1], 't', text)
  end
  --@ changed('user-session', KEYS[1], 'touch')
  return text
end

-- include: times, life, settling, opening
redis.call('HDEL', KEYS[1], '')
local t, lives = open(KEYS[1], ARGV[2], now, ARGV[3])
if not t then
  return false
end
if lost then
  t.score = 0
end
t.refreshed = math.max(t.refreshed, now)
t.expires = ending(t, lives, latest(t, lives))
local text = settle(KEYS[1], t, now, lives.idle)
--@ changed('user-session', KEYS[1], 'touch')
return text
