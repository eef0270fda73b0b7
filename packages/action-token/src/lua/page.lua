-- List entries of an index from a score on, and all that have the score of the last of them.
--
-- KEYS[1] index       zset: tails of keys, scored by expiresAt
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  of the place behind which the page begins, 0 at first
-- ARGV[3] limit       entries wanted behind those of that score
--
-- Returns {tail, score...}, in no order among those of one score.

local first, last
if tonumber(ARGV[2]) <= tonumber(ARGV[1]) then
  first = redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1])
  last = first + tonumber(ARGV[3]) - 1
else
  first = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. ARGV[2])
  last = first + redis.call('ZCOUNT', KEYS[1], ARGV[2], ARGV[2]) + tonumber(ARGV[3]) - 1
end
local end_of_page = redis.call('ZRANGE', KEYS[1], last, last, 'WITHSCORES')[2]
if end_of_page then
  last = redis.call('ZCOUNT', KEYS[1], '-inf', end_of_page) - 1
end
return redis.call('ZRANGE', KEYS[1], first, last, 'WITHSCORES')
