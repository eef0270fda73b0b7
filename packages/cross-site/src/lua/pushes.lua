-- All pushes that are remembered, those asked for last first.
--
-- KEYS[1] pushes  zset: ids of pushes, scored by when each was asked for
-- ARGV[1] active  1: only what is not over
--
-- Returns all fields of each, flat.

local answer = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, 199, 'REV')) do
  local key = KEYS[1] .. ':' .. id
  local status = redis.call('HGET', key, 'status')
  if status and (ARGV[1] ~= '1' or status == 'queued' or status == 'running' or status == 'paused') then
    answer[#answer + 1] = redis.call('HGETALL', key)
  end
end
return answer
