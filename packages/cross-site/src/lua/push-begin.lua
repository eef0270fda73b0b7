-- Asks for a push, unless just that push is under way.
--
-- KEYS[1] pushes  zset: ids of pushes, scored by when each was asked for
-- ARGV[1] id      of the new one
-- ARGV[2] now     ms since the epoch
-- ARGV[3] asked   JSON: fields of it
--
-- Returns all fields of the push that is under way now, flat.

local asked = cjson.decode(ARGV[3])
local function of(id)
  return KEYS[1] .. ':' .. id
end
local known = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, id in ipairs(known) do
  local status = redis.call('HGET', of(id), 'status')
  if not status then
    redis.call('ZREM', KEYS[1], id)
  elseif status == 'queued' or status == 'running' or status == 'paused' then
    local is_same = true
    for field, value in pairs(asked) do
      is_same = is_same and redis.call('HGET', of(id), field) == value
    end
    if is_same then
      return redis.call('HGETALL', of(id))
    end
  end
end
for field, value in pairs(asked) do
  redis.call('HSET', of(ARGV[1]), field, value)
end
redis.call('HSET', of(ARGV[1]), 'id', ARGV[1], 'status', 'queued', 'done', '0', 'askedAt', ARGV[2], 'updatedAt', ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
return redis.call('HGETALL', of(ARGV[1]))
