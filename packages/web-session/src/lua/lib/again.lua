-- Scores a session anew in the indexes where it stands, and makes Redis keep them as long. They get an eighth more than is
-- needed, so that few touches renew them.
local function again(realm_index, user, labels, score, member, ttl)
  local function anew(index)
    redis.call('ZADD', index, score, member)
    if redis.call('PTTL', index) < ttl then
      redis.call('PEXPIRE', index, string.format('%.0f', ttl * 1.125))
    end
  end
  anew(realm_index)
  if user == '' and labels == '' then
    return
  end
  local head, realm = string.match(realm_index, '^(.*{%x%x}:)wr:(.*)$')
  if user ~= '' then
    anew(head .. 'wu:' .. realm .. ':' .. user)
  end
  for name, value in string.gmatch(labels, '([^{]+){([^}]+)}') do
    anew(head .. 'wl:' .. realm .. ':' .. name .. ':' .. value)
  end
end
