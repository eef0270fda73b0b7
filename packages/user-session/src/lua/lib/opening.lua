-- The times of a living session that can be read, from what was found of it, and its life. What is over by the time-outs
-- of now is settled so.
local function opened(key, version, text, spans, now)
  local t = version == '1' and times(text)
  if not t or t.expires <= now then
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

local function open(key, spans, now)
  local found = redis.call('HMGET', key, '_v', 't')
  return opened(key, found[1], found[2], spans, now)
end
