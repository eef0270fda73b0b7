-- Writes the times of a session, and a client session that changed, in one go. The indexes follow only when they are
-- astray. Answers the texts of both.
local function settle(key, t, now, idle, changed, changed_idle)
  local fields = {}
  if astray(t.expires, t.score, idle) then
    -- include: keys, indexes, reindexing
    fields = index(key, t, now, changed)
    expire(key, t.expires, now)
  end
  local changed_text = nil
  if changed then
    local score = math.min(changed.expires, t.expires)
    if astray(score, changed.score, changed_idle) then
      -- include: keys, indexes
      local head, kind, _, realm, id = parts(key)
      index_client(head .. kind, realm, id, changed.client, score, changed.score, now)
      changed.score = score
    end
    t.own = t.own and changed.expires <= t.expires
    if changed.data and t.version == '2' then
      fields[#fields + 1] = 'a:' .. changed.client
      fields[#fields + 1] = about_client(changed.client, changed.data)
      changed.data = nil
    end
    changed_text = client_text(changed)
    fields[#fields + 1] = 'c:' .. changed.client
    fields[#fields + 1] = changed_text
  end
  local text = text_of(t)
  redis.call('HSET', key, 't', text, unpack(fields, 1, math.min(#fields, 1000)))
  for i = 1001, #fields, 1000 do
    redis.call('HSET', key, unpack(fields, i, math.min(i + 999, #fields)))
  end
  return text, changed_text
end
