-- include: links
-- Scores a session and its living client sessions, which count no longer than it, in their indexes. `changed` is a client
-- session that is about to be written. Answers fields and values that are to be written because of it.
local function index(key, t, now, changed)
  -- An index was lost: everything is entered anew.
  local all = t.score == 0
  local data, clients, own = nil, { changed }, true
  for _, value in ipairs(redis.call('HVALS', key)) do
    local first = string.byte(value)
    if first == 123 then -- {
      data = value
    elseif first == 99 then -- c
      local expires, score = string.match(value, '^c %d+ %d+ (%d+) (%d+) ')
      if expires and tonumber(expires) > now and (all or expires ~= score or tonumber(expires) > t.expires) then
        local c = client_session(value)
        own = own and c and c.expires <= t.expires
        if c and not (changed and c.client == changed.client) then
          clients[#clients + 1] = c
        end
      end
    end
  end
  local user, broker_session, broker_user = string.match(t.links or links_behind(nil, data), '^([^:]*):([^:]*):([^:]*)$')
  if not user then
    return {}
  end

  local head, kind, _, realm, id = parts(key)
  index_session(head, kind, realm, id, user, broker_session, broker_user, t.expires, t.score, now)
  t.score, t.own = t.expires, own
  local fields = {}
  for _, c in ipairs(clients) do
    local score = math.min(c.expires, t.expires)
    if c.expires > now and (all or c.score ~= score) then
      index_client(head .. kind, realm, id, c.client, score, all and 0 or c.score, now)
      c.score = score
      if c ~= changed then
        fields[#fields + 1] = 'c:' .. c.client
        fields[#fields + 1] = client_text(c)
      end
    end
  end
  return fields
end
