-- include: message, kept
-- Ends a message: takes it out of those under way, and puts it among the dead letters if it is one.
local function finish(head, realm, delivery, member, s, now, keep_ms, dead_ms, most_dead)
  s.owner, s.at = '-', now
  redis.call('HSET', delivery, 's:' .. string.sub(member, 22), state_text(s))
  redis.call('ZREM', head .. 'no:' .. realm, member)
  redis.call('HINCRBY', delivery, 'o', -1)
  if s.state == 'dead' then
    local dead = head .. 'nx:' .. realm
    local ends = string.format('%.0f', now + dead_ms)
    prune(dead, now)
    redis.call('ZADD', dead, ends, string.sub(redis.sha1hex(member), 1, 8) .. member)
    keep(dead, string.format('%.0f', dead_ms + GRACE))
    local over = redis.call('ZCARD', dead) - most_dead
    for _, oldest in ipairs(over > 0 and redis.call('ZRANGE', dead, 0, math.min(over, 10) - 1) or {}) do
      redis.call('ZREM', dead, oldest)
    end
    redis.call('HSET', delivery, 'd', ends)
  end
  keep_delivery(head, realm, delivery, now, keep_ms)
end

-- Whether a larger not-before was announced to the same host.
local function outdated(head, realm, tail, not_before)
  if not not_before then
    return false
  end
  local largest = redis.call('HGET', head .. 'nb:' .. realm, string.match(tail, '^[^:]*:(.*)$'))
  return (tonumber(largest or 0) or 0) > tonumber(not_before)
end
