-- The times of a living session that can be read, from their text, and its life. What is over by the time-outs of now is
-- settled so. Layout 2: a record of version 1 is brought into version 2.
local function opened(key, text, spans, now, layout)
  local t = times(text)
  if not t or not (t.links or t.version == '1') or t.expires <= now then
    return nil
  end
  if t.version == '1' and layout == '2' then
    -- include: upcasting
    upcast(key, t)
  end
  local lives = life(spans, t.remember)
  t.expires = ending(t, lives, latest(t, lives))
  if t.expires <= now then
    settle(key, t, now, lives.idle)
    --@ changed('user-session', key, 'touch')
    return nil
  end
  return t, lives
end

-- A living client session of a session that was opened, with its end by the time-outs of now. One that is over by these is
-- settled so.
local function open_client(key, client, t, lives, spans, now)
  local c = living_client(key, client, now)
  if not c then
    return nil
  end
  local own = life(spans, t.remember)
  c.expires = client_ending(c, own, latest(t, lives))
  if c.expires <= now then
    settle(key, t, now, lives.idle, c, own.idle)
    --@ changed('user-session', key, 'touch')
    return nil
  end
  return c, own
end

local function open(key, spans, now, layout)
  return opened(key, redis.call('HGET', key, 't'), spans, now, layout)
end
