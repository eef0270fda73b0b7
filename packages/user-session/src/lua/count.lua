-- Count the living sessions of an index, looking at a hundred records at most.
--
-- An entry scored in the future is alive; one whose score has just passed may have been refreshed since.
--
-- KEYS[1] index       zset: session ids, scored by expiresAt or a little less
-- ARGV[1] now         ms since the epoch
-- ARGV[2] client      escaped; only with this client session alive; empty for any
-- ARGV[3] afterScore  0 at first
-- ARGV[4] afterId     empty at first
-- ARGV[5] evicted     1 to look for entries whose records were evicted; empty: there are none
--
-- Returns the count when that is all, else {count, score, id}: where to go on, empty at the end.

-- The usual case in few steps: nothing was evicted, and nothing ended in the minute by which an index may lag.
local count = 0
if ARGV[4] == '' and ARGV[5] == '' then
  count = redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], '+inf')
  if redis.call('ZCOUNT', KEYS[1], ARGV[1] - 60000, ARGV[1]) == 0 then
    return count
  end
end

-- include: lag, times, keys, reading, vanished
local now = tonumber(ARGV[1])
if ARGV[4] == '' and ARGV[5] ~= '' then
  take_out_vanished(KEYS[1], now)
  count = redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], '+inf')
end
local first = behind(KEYS[1], ARGV[3], ARGV[4], now)
local last = redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1]) - 1
if first > last then
  return { count, '', '' }
end
local stop = math.min(last, first + 99)
local entries = redis.call('ZRANGE', KEYS[1], first, stop, 'WITHSCORES')
local sessions = sessions_of(KEYS[1])
for i = 1, #entries, 2 do
  if stands(sessions .. entries[i], entries[i + 1], ARGV[2], now) then
    count = count + 1
  end
end
if stop == last then
  return { count, '', '' }
end
return { count, entries[#entries], entries[#entries - 1] }
