-- include: enter
-- Puts a session into the indexes of its realm, its user and its labels.
local function list(head, realm, s, member, ttl, now)
  local score = string.format('%.0f', s.expires)
  -- One in four, by the last digits of the time, takes out what has ended: more than comes in.
  local prune_at = now % 4 == 0 and now
  enter(head .. 'wr:' .. realm, score, member, ttl, prune_at)
  if s.user ~= '' then
    enter(head .. 'wu:' .. realm .. ':' .. s.user, score, member, ttl, prune_at)
  end
  for name, value in string.gmatch(s.labels, '([^{]+){([^}]+)}') do
    enter(head .. 'wl:' .. realm .. ':' .. name .. ':' .. value, score, member, ttl, prune_at)
  end
end
