-- include: standings
-- Scores a session anew in the indexes where it stands, and makes Redis keep them as long. They get an eighth more than is
-- needed, so that few touches renew them.
local function again(realm_index, user, labels, score, member, ttl)
  local function renew(index)
    if redis.call('PTTL', index) < ttl then
      redis.call('PEXPIRE', index, string.format('%.0f', ttl * 1.125))
    end
  end
  local tag = user ~= '' and tag_of(user)
  redis.call('ZADD', realm_index, score, tag and member .. ':' .. tag or member)
  renew(realm_index)
  if not tag and labels == '' then
    return
  end
  local head, realm = place(realm_index)
  if tag then
    renew(index_of(head, realm, tag))
  end
  for name, value in string.gmatch(labels, '([^{]+){([^}]+)}') do
    local index = head .. 'wl:' .. realm .. ':' .. name .. ':' .. value
    redis.call('ZADD', index, score, member)
    renew(index)
  end
end
