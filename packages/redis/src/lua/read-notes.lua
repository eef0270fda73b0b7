-- Answer the next notes of a partition to the one who reads them for a consumer, and let go of what every consumer has had.
--
-- KEYS[1] notes      stream: an entry per change
-- KEYS[2] had        hash: by consumer the id of the last note that it has had
-- KEYS[3] lease      string: who reads for this consumer
-- ARGV[1] consumer   its name
-- ARGV[2] owner      who asks
-- ARGV[3] leaseMs    how long nobody else may; 0: it reads no more
-- ARGV[4] had        id of the last note that the consumer has had; empty: as it is recorded
-- ARGV[5] limit      most notes to answer; 0: none, it only holds the lease
-- ARGV[6] consumers  the names of all, separated by blanks
--
-- Returns {'busy'} when another one reads; else {state, how many notes there are, id to say next as had, notes}. The state is on;
-- gap when notes were taken away that it has not had; or begun when nothing is recorded of it: it begins behind that id.

local owner = redis.call('GET', KEYS[3])
if owner and owner ~= ARGV[2] then
  return { 'busy' }
end
-- A full server goes on with a script that began with a write that cannot grow.
redis.call('HDEL', KEYS[2], '')
if ARGV[3] ~= '0' then
  redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
end

local function follows(a, b)
  local ms, n = string.match(a, '^(%d+)-(%d+)$')
  local other_ms, other_n = string.match(b, '^(%d+)-(%d+)$')
  ms, n, other_ms, other_n = tonumber(ms), tonumber(n), tonumber(other_ms), tonumber(other_n)
  return ms > other_ms or (ms == other_ms and n > other_n)
end

local had = redis.call('HGET', KEYS[2], ARGV[1])
if ARGV[4] ~= '' and (not had or follows(ARGV[4], had)) then
  had = ARGV[4]
  redis.call('HSET', KEYS[2], ARGV[1], had)
  local slowest = had
  for name in string.gmatch(ARGV[6], '%S+') do
    local other = redis.call('HGET', KEYS[2], name)
    if other and follows(slowest, other) then
      slowest = other
    end
  end
  -- The last one that the slowest has had stays: where it is gone, so may be others that it has not had.
  redis.call('XTRIM', KEYS[1], 'MINID', '~', slowest)
end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[3])
end

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XADD', KEYS[1], '*', '-', '')
end
local length = redis.call('XLEN', KEYS[1])
if not had then
  return { 'begun', length, redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1], {} }
end
local state = #redis.call('XRANGE', KEYS[1], had, had) == 0 and 'gap' or 'on'
local notes = {}
if ARGV[5] ~= '0' then
  notes = redis.call('XRANGE', KEYS[1], '(' .. had, '+', 'COUNT', ARGV[5])
  if state == 'gap' and #notes == 0 then
    -- Another stream took the place of the one it knew.
    redis.call('HDEL', KEYS[2], ARGV[1])
    return { 'begun', length, redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1], {} }
  end
end
return { state, length, #notes > 0 and notes[#notes][1] or had, notes }
