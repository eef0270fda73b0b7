-- The times of a living session and its life. What is over by the time-outs of now is settled as over.
local function open(key, spans, now)
  local t = living(key, now)
  if not t then
    return nil
  end
  local lives = life(spans, t.remember)
  t.expires = ending(t, lives, latest(t, lives))
  if t.expires <= now then
    settle(key, t, now, lives.idle)
    return nil
  end
  return t, lives
end
