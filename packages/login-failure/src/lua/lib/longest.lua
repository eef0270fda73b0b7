-- include: grace
-- Makes Redis keep an index for as long as its longest record, for good where that never ends.
local function keep_longest(index, now)
  local longest = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
  if longest and tonumber(longest) < NEVER then
    redis.call('PEXPIRE', index, string.format('%.0f', math.max(tonumber(longest) - now, 0) + GRACE))
  elseif longest then
    redis.call('PERSIST', index)
  end
end
