-- Read the clock of the deployment: the time of this server, plus what it is behind the server before it.
--
-- KEYS[1] clock  string "behind since", both in us, seldom there: this server was so far behind at that time of its own
-- ARGV[1] floor  us that the caller knows to have passed; 0: it knows of none
-- ARGV[2] most   us that a server may be behind; beyond, it is believed
-- ARGV[3] seen   what a caller found in KEYS[1]; '' to change nothing there but by the floor
-- ARGV[4] lower  us by which the correction is too large, as that caller knows: it was made for a server that was further behind
--
-- Returns {us since the epoch, us that are added to the time of this server, 1 if it is further behind than `most`, what stands
-- in KEYS[1] now, or ''}.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local floor, most = tonumber(ARGV[1]), tonumber(ARGV[2])

local behind = 0
local kept = redis.call('GET', KEYS[1]) or ''
local function keep()
  local text = string.format('%.0f %.0f', behind, now)
  -- A full server refuses it. Then each process holds its own time back, and the next reading tries again.
  local answer = redis.pcall('SET', KEYS[1], text)
  if not answer.err then
    kept = text
  end
end

if kept ~= '' then
  local at_first, since = string.match(kept, '^(%d+) (%d+)$')
  -- It wears off, a millisecond in a second, so that the deployment comes back to the time of its server.
  behind = math.max(0, tonumber(at_first or 0) - math.max(0, now - tonumber(since or 0)) / 1000)
  if kept == ARGV[3] and behind > 0 then
    behind = math.max(0, behind - tonumber(ARGV[4]))
    if behind > 0 then
      keep()
    end
  end
  if behind == 0 then
    redis.call('DEL', KEYS[1])
    kept = ''
  end
end

local too_far = 0
if floor > now + behind then
  if floor - now <= most then
    behind = floor - now
    keep()
  else
    too_far = 1
  end
end
return { string.format('%.0f', now + behind), string.format('%.0f', behind), too_far, kept }
