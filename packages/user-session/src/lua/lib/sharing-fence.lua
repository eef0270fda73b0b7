-- The later of two marks. One that two nodes raised belongs to neither, so that their clocks decide.
local function later_mark(a, b)
  local latest, node, count = parts_of_mark(a)
  local other, other_node, other_count = parts_of_mark(b)
  local mark = string.format('%.0f', math.max(latest, other))
  if node and node == other_node then
    mark = mark .. '.0' .. node .. string.format('%.0f', math.max(count, other_count))
  end
  return mark
end

-- Keeps a mark beside the fence, which ends sooner.
local function keep_fence(head, name, mark, now, ms)
  local key, ends = head .. 'xf:' .. name, head .. 'xt'
  local held = redis.call('GET', key)
  redis.call('SET', key, held and later_mark(held, mark) or mark, 'PX', ms)
  redis.call('ZADD', ends, string.format('%.0f', now + ms), name)
  if redis.call('PTTL', ends) < ms then
    redis.call('PEXPIRE', ends, string.format('%.0f', ms + GRACE))
  end
end

-- Notes beside a session that a removal of all has spared it.
local function spare(head, name, mark, ms)
  local beside, latest = head .. 'xs:' .. name, parts_of_mark(mark)
  if (tonumber(redis.call('HGET', beside, 'K')) or 0) < latest then
    redis.call('HSET', beside, 'K', string.format('%.0f', latest))
    if redis.call('PTTL', beside) < ms then
      redis.call('PEXPIRE', beside, string.format('%.0f', ms))
    end
  end
end
