-- include: place
-- Three characters of a digest of a user, of which few others have the same.
local function tag_of(user)
  local n, tag = tonumber(string.sub(redis.sha1hex(user), 1, 5), 16), ''
  for _ = 1, 3 do
    local digit = n % 36
    tag = string.char(digit < 10 and 48 + digit or 87 + digit) .. tag
    n = (n - digit) / 36
  end
  return tag
end

-- The index that has the sessions of users with a tag. Sixty-four keep each of them short.
local function index_of(head, realm, tag)
  return head .. 'wm:' .. realm .. string.format(':%02x', tonumber(tag, 36) % 64)
end

-- What the index of the realm calls a session: the tag of its user as well, so that what has ended is found in the other index.
local function in_realm(s, member)
  if s.is_old or s.user == '' then
    return member
  end
  return member .. ':' .. tag_of(s.user)
end

-- Takes an entry that has a tag out of the indexes of the realm and of users.
local function forget(head, realm, member, tag)
  redis.call('ZREM', head .. 'wr:' .. realm, member .. ':' .. tag)
  redis.call('ZREM', index_of(head, realm, tag), tag .. member)
end

-- Takes a session out of its indexes, but for those that another has as well.
local function leave(head, realm, s, member, next)
  local has_same_user = next and next.user == s.user and not s.is_old and not next.is_old
  if not has_same_user and s.user ~= '' and not s.is_old then
    forget(head, realm, member, tag_of(s.user))
  elseif not has_same_user then
    redis.call('ZREM', head .. 'wr:' .. realm, member)
    if s.user ~= '' then
      redis.call('ZREM', head .. 'wu:' .. realm .. ':' .. s.user, member)
    end
  end
  if s.labels ~= '' and not (next and next.labels == s.labels) then
    for name, value in string.gmatch(s.labels, '([^{]+){([^}]+)}') do
      redis.call('ZREM', head .. 'wl:' .. realm .. ':' .. name .. ':' .. value, member)
    end
  end
end
