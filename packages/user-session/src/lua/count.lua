-- Count the living sessions of an index, looking at a hundred records at most.
--
-- An entry scored in the future is alive; one whose score has just passed may have been refreshed since.
--
-- KEYS[1] index       zset: session ids, scored by expiresAt or a little less
-- ARGV[1] now         ms since the epoch
-- ARGV[2] client      escaped; only with this client session alive; empty for any
-- ARGV[3] afterScore  0 at first
-- ARGV[4] afterId     empty at first
--
-- Returns {count, score, id}: where to go on, empty at the end.

-- include: lag, times, keys, reading, vanished
local now = tonumber(ARGV[1])
if ARGV[4] == '' then
  take_out_vanished(KEYS[1], now)
end
local count = ARGV[4] == '' and redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], '+inf') or 0
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
