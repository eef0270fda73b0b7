-- The spans of a life by their names.
local function life(text, remember)
  local idle, max, not_before = spans_of(text, remember)
  return { idle = idle, max = max, not_before = not_before }
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
