-- Scores a session and its living client sessions, which count no longer than it, in their indexes. `changed` is a client
-- session that is about to be written. Answers fields and values that are to be written because of it.
local function index(key, t, now, changed)
  local head, kind, _, realm, id = parts(key)
  local stored = redis.call('HGETALL', key)
  local data, clients = nil, { changed }
  for i = 1, #stored, 2 do
    if stored[i] == 'd' then
      data = stored[i + 1]
    elseif string.sub(stored[i], 1, 2) == 'c:' then
      local c = client_session(stored[i + 1])
      if c and not (changed and c.client == changed.client) then
        clients[#clients + 1] = c
      end
    end
  end
  local user, broker_session, broker_user = links_in(data)
  if not user then
    return {}
  end

  t.score = t.expires
  index_session(head, kind, realm, id, user, broker_session, broker_user, t.score, now)
  local fields = {}
  for _, c in ipairs(clients) do
    local score = math.min(c.expires, t.expires)
    if c.expires > now and c.score ~= score then
      c.score = score
      index_client(head .. kind, realm, id, c.client, score, now)
      if c ~= changed then
        fields[#fields + 1] = 'c:' .. c.client
        fields[#fields + 1] = client_text(c)
      end
    end
  end
  return fields
end
