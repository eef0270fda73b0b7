-- Name tokens that were found to be redeemed more than once, a hundred at most, and forget one that was seen to.
--
-- KEYS[1] conflicts  zset: single-use-conflict and the tail of a token, scored by when it was found
-- ARGV[1] done       to be forgotten, empty for none
--
-- Returns {how many were forgotten, entry...}.

local forgotten = 0
if ARGV[1] ~= '' then
  forgotten = redis.call('ZREM', KEYS[1], ARGV[1])
end
return { forgotten, unpack(redis.call('ZRANGE', KEYS[1], 0, 99)) } -- at most 100
