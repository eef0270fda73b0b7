-- Look at both ends of the work channel and at how far each sender has come.
--
-- KEYS[1] events       stream: the work channel
-- KEYS[2] senders      hash: incarnation to the number of its last event
--
-- Returns {first id, last id, incarnation, number, ...}; both ids are 0-0 when there is no event.

local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local answer = { first and first[1] or '0-0', last and last[1] or '0-0' }
for _, text in ipairs(redis.call('HGETALL', KEYS[2])) do
  answer[#answer + 1] = text
end
return answer
