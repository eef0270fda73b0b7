-- include: keep
-- Says when a lane is due: its first message, and not before the mark '!' that holds it. A lane without messages goes.
local function reschedule(lane, due, tail, ms)
  local hold = tonumber(redis.call('ZSCORE', lane, '!') or 0)
  local first = redis.call('ZRANGE', lane, 0, 1, 'WITHSCORES')
  local at
  for i = #first - 1, 1, -2 do
    if first[i] ~= '!' then
      at = tonumber(first[i + 1])
    end
  end
  if at then
    redis.call('ZADD', due, string.format('%.0f', math.max(at, hold)), tail)
    keep(lane, ms)
    keep(due, ms)
  else
    redis.call('DEL', lane)
    redis.call('ZREM', due, tail)
  end
end
