-- include: keep, prune
-- Puts a session into the indexes of its realm, its user and its labels.
local function enter(head, realm, s, member, ttl, now)
  local score = string.format('%.0f', s.expires)
  local function add(index)
    redis.call('ZADD', index, score, member)
    keep(index, ttl)
    -- One in four, by the last digits of the time, takes out what has ended: more than comes in.
    if now % 4 == 0 then
      prune(index, now)
    end
  end
  add(head .. 'wr:' .. realm)
  if s.user ~= '' then
    add(head .. 'wu:' .. realm .. ':' .. s.user)
  end
  for name, value in string.gmatch(s.labels, '([^{]+){([^}]+)}') do
    add(head .. 'wl:' .. realm .. ':' .. name .. ':' .. value)
  end
end
