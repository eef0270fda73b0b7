-- Idle time and time in all of a life, 0 for any, and what a session must not have begun before, 0 for nothing.
local function usual_life(spans, remember)
  local idle, max, own_idle, own_max, not_before = string.match(spans, '^(%d+) (%d+) ?(%d*) ?(%d*) ?(%d*)$')
  if remember and own_idle ~= '' then
    idle, max = own_idle, own_max
  end
  return idle + 0, max + 0, not_before == '' and 0 or not_before + 0
end

-- When something in use ends from now on, by a cap at the latest if there is a time in all; and when it would end whatever
-- its use. Nil for what is rare: it is over by now, or was used later than now.
local function usual_end(idle, max, started, refreshed, now, cap)
  refreshed = refreshed + 0
  local ends, at_latest = now + idle, nil
  if max > 0 then
    at_latest = started + max
    if cap and cap < at_latest then
      at_latest = cap
    end
    if at_latest < ends then
      ends = at_latest
    end
  end
  if refreshed > now or refreshed + idle <= now or ends <= now or ends >= 2 ^ 53 then
    return nil
  end
  return ends, at_latest
end

-- Whether what the indexes say of an end is near enough.
local function usual_lag(ends, score, idle)
  local lag = ends - score
  return lag >= 0 and lag <= 60000 and lag <= idle / 30
end
