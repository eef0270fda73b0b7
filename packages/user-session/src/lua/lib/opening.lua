-- The times of a living session that can be read, and its life. What is over by the time-outs of now is settled so.
local function open(key, spans, now)
  local found = redis.call('HMGET', key, '_v', 't')
  local t = found[1] == '1' and times(found[2])
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
