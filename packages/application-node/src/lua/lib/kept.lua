-- include: grace, keep, prune
-- Says how long a delivery is kept: while a message of it may be sent, a dead letter of it stands, and for a while after that.
local function keep_delivery(head, realm, delivery, now, keep_ms)
  local held = redis.call('HMGET', delivery, 'o', 'l', 'd')
  local ends = now + keep_ms
  if (tonumber(held[1]) or 0) > 0 then
    ends = math.max(ends, (tonumber(held[2]) or 0) + keep_ms)
  end
  ends = math.max(ends, tonumber(held[3]) or 0)
  local ms = string.format('%.0f', ends - now + GRACE)
  local text = string.format('%.0f', ends)
  redis.call('HSET', delivery, 'x', text)
  redis.call('PEXPIRE', delivery, ms)
  local index = head .. 'nv:' .. realm
  redis.call('ZADD', index, text, string.match(delivery, '([^:]*)$'))
  keep(index, ms)
  prune(index, now)
end
