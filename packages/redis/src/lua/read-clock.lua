-- Read the clock of the deployment: the time of this server, plus what it is behind the server before it.
--
-- KEYS[1] clock  string "behind since", both in us, seldom there: this server was so far behind at that time of its own
-- ARGV[1] floor  us that the caller knows to have passed; 0: it knows of none
-- ARGV[2] most   us that a server may be behind; beyond, it is believed
--
-- Returns {us since the epoch, us that are added to the time of this server, 1 if it is further behind than `most`}.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local floor, most = tonumber(ARGV[1]), tonumber(ARGV[2])

local behind = 0
local kept = redis.call('GET', KEYS[1])
if kept then
  local at_first, since = string.match(kept, '^(%d+) (%d+)$')
  -- It wears off, a millisecond in a second, so that the deployment comes back to the time of its server.
  behind = math.max(0, tonumber(at_first or 0) - math.max(0, now - tonumber(since or 0)) / 1000)
  if behind == 0 then
    redis.call('DEL', KEYS[1])
  end
end

local too_far = 0
if floor > now + behind then
  if floor - now <= most then
    behind = floor - now
    -- A full server refuses it. Then each process holds its own time back, and the next reading tries again.
    redis.pcall('SET', KEYS[1], string.format('%.0f %.0f', behind, now))
  else
    too_far = 1
  end
end
return { string.format('%.0f', now + behind), string.format('%.0f', behind), too_far }
