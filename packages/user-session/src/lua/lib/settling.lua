-- Scores a session and its living client sessions, which count no longer than it, in their indexes.
local function index(key, t, now)
  local head, kind, _, realm, id = parts(key)
  local user, broker_session, broker_user = links(key)
  if not user then
    return
  end
  t.score = t.expires
  index_session(head, kind, realm, id, user, broker_session, broker_user, t.score, now)
  for _, client in ipairs(clients_of(key)) do
    local c = living_client(key, client, now)
    local score = c and math.min(c.expires, t.expires)
    if c and c.score ~= score then
      c.score = score
      index_client(head .. kind, realm, id, client, score, now)
      redis.call('HSET', key, 'c:' .. client, client_text(c))
    end
  end
end

-- Writes the times of a session. The indexes follow only when they are astray.
local function settle(key, t, now, idle)
  if astray(t.expires, t.score, idle) then
    index(key, t, now)
    expire(key, t.expires, now)
  end
  local text = text_of(t)
  redis.call('HSET', key, 't', text)
  return text
end

-- Writes the times of a session, and a client session of it. Answers the texts of both.
local function settle_both(key, t, idle, client, c, client_idle, now)
  local score = math.min(c.expires, t.expires)
  if not astray(t.expires, t.score, idle) and not astray(score, c.score, client_idle) then
    local text, ctext = text_of(t), client_text(c)
    redis.call('HSET', key, 't', text, 'c:' .. client, ctext)
    return text, ctext
  end
  redis.call('HSET', key, 'c:' .. client, client_text(c))
  local text = settle(key, t, now, idle)
  -- The session's indexes may just have taken it along.
  local ctext = redis.call('HGET', key, 'c:' .. client)
  c = client_session(ctext)
  if astray(score, c.score, client_idle) then
    local head, kind, _, realm, id = parts(key)
    c.score = score
    index_client(head .. kind, realm, id, client, score, now)
    ctext = client_text(c)
    redis.call('HSET', key, 'c:' .. client, ctext)
  end
  return text, ctext
end
