-- Where a session stands: its partition and realm, by the key of the index of its realm.
local function place(index)
  local head = string.match(index, '^(.*{%x%x}:)')
  return head, string.sub(index, #head + #'wr:' + 1)
end

-- Takes a session out of the indexes of its user and its labels, but for those that another has as well.
local function leave(head, realm, s, member, next)
  if s.user ~= '' and not (next and next.user == s.user) then
    redis.call('ZREM', head .. 'wu:' .. realm .. ':' .. s.user, member)
  end
  if s.labels ~= '' and not (next and next.labels == s.labels) then
    for name, value in string.gmatch(s.labels, '([^{]+){([^}]+)}') do
      redis.call('ZREM', head .. 'wl:' .. realm .. ':' .. name .. ':' .. value, member)
    end
  end
end

-- Whether a session stands in an index of its realm, its user or one of its labels.
local function stands_in(index, head, realm, s)
  if index == head .. 'wr:' .. realm or (s.user ~= '' and index == head .. 'wu:' .. realm .. ':' .. s.user) then
    return true
  end
  for name, value in string.gmatch(s.labels, '([^{]+){([^}]+)}') do
    if index == head .. 'wl:' .. realm .. ':' .. name .. ':' .. value then
      return true
    end
  end
  return false
end
