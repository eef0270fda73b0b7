-- Spans of a life: idle and max, of remember-me if they differ, and not-before. Max 0: no end in all.
local function life(text, remember)
  local idle, max, own_idle, own_max, not_before = string.match(text, '^(%d+) (%d+) ?(%d*) ?(%d*) ?(%d*)$')
  if remember and own_idle ~= '' then
    idle, max = own_idle, own_max
  end
  return { idle = tonumber(idle), max = tonumber(max), not_before = tonumber(not_before) or 0 }
end

-- When a session ends at the latest.
local function latest(t, lives)
  if t.started < lives.not_before then
    return 0
  end
  return lives.max > 0 and t.started + lives.max or nil
end

-- When something ends: unused for too long, or too old.
local function ending(t, lives, at_latest)
  return math.min(t.refreshed + lives.idle, at_latest or 2 ^ 53 - 1, 2 ^ 53 - 1)
end

-- When a client session ends.
local function client_ending(c, lives, session_latest)
  local at_latest = lives.max > 0 and math.min(c.started + lives.max, session_latest or 2 ^ 53 - 1) or nil
  return ending(c, lives, at_latest)
end
