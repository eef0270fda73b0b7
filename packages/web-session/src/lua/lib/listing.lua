-- include: enter
-- Takes out of the index of a realm up to ten sessions that have ended, and out of those of their users.
local function prune_realm(head, realm, now)
  local index = head .. 'wr:' .. realm
  local ended = redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 10)
  for _, entry in ipairs(ended) do
    local member, tag = string.match(entry, '^([^:]*):(...)$')
    if tag then
      forget(head, realm, member, tag)
    else
      redis.call('ZREM', index, entry)
    end
  end
end

-- Puts a session into the indexes of its realm, its user and its labels.
local function list(head, realm, s, member, now, grace)
  local score = string.format('%.0f', s.score)
  local ttl = string.format('%.0f', s.score - now + grace)
  -- One in four, by the last digits of the time, takes out what has ended: more than comes in.
  local prune_at = now % 4 == 0 and now
  if s.is_old or s.user == '' then
    enter(head .. 'wr:' .. realm, score, member, ttl, false)
    if s.user ~= '' then
      enter(head .. 'wu:' .. realm .. ':' .. s.user, score, member, ttl, prune_at)
    end
  else
    local tag = tag_of(s.user)
    enter(head .. 'wr:' .. realm, score, member .. ':' .. tag, ttl, false)
    enter(index_of(head, realm, tag), '0', tag .. member, ttl, false)
  end
  if prune_at then
    prune_realm(head, realm, now)
  end
  for name, value in string.gmatch(s.labels, '([^{]+){([^}]+)}') do
    enter(head .. 'wl:' .. realm .. ':' .. name .. ':' .. value, score, member, ttl, prune_at)
  end
end
