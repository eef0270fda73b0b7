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
