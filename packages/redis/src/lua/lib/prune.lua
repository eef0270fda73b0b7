-- Takes out of an index up to ten entries that ended at `now` or before.
local function prune(index, now)
  local ended = redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 10)
  if #ended > 0 then redis.call('ZREM', index, unpack(ended)) end
end
