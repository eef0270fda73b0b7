-- Answer the next notes of a partition to the one who reads them for a consumer, and let go of what every consumer has had.
--
-- KEYS[1] notes      stream: an entry per change
-- KEYS[2] had        hash: by consumer the id of the last note that it has had
-- KEYS[3] lease      string: who reads for this consumer
-- ARGV[1] consumer   its name
-- ARGV[2] owner      who asks
-- ARGV[3] leaseMs    how long nobody else may; 0: it reads no more
-- ARGV[4] had        id of the last note that the consumer has had; 0-0: some, nobody knows which; empty: as it is recorded
-- ARGV[5] limit      most notes to answer; 0: none, it only holds the lease
-- ARGV[6] consumers  the names of all, separated by blanks
--
-- Returns {'busy', 1 when it is recorded what the consumer has had} when another one reads; else {state, how many notes there are,
-- id to say next as had, notes}. The state is on; gap when notes were taken away that it has not had; lost when the last note that
-- it has had is one of another stream, or of an end that this one has lost: then all are answered behind what is recorded of it; or
-- begun when nothing is recorded of it: it begins behind that id.

local owner = redis.call('GET', KEYS[3])
if owner and owner ~= ARGV[2] then
  return { 'busy', redis.call('HGET', KEYS[2], ARGV[1]) and 1 or 0 }
end
-- A full server goes on with a script that began with a write that cannot grow.
redis.call('HDEL', KEYS[2], '')
-- Who only holds the lease renews it always; who looks for notes leaves two thirds of it, or more, as they are.
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[3])
elseif ARGV[5] == '0' or redis.call('PTTL', KEYS[3]) <= ARGV[3] / 3 * 2 then
  redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
end

local function follows(a, b)
  local ms, n = string.match(a, '^(%d+)-(%d+)$')
  local other_ms, other_n = string.match(b, '^(%d+)-(%d+)$')
  ms, n, other_ms, other_n = tonumber(ms), tonumber(n), tonumber(other_ms), tonumber(other_n)
  return ms > other_ms or (ms == other_ms and n > other_n)
end
local function is_there(id)
  return #redis.call('XRANGE', KEYS[1], id, id) > 0
end

local was_empty = redis.call('XLEN', KEYS[1]) == 0
if was_empty then
  redis.call('XADD', KEYS[1], '*', '-', '')
end
local length = redis.call('XLEN', KEYS[1])
local recorded = redis.call('HGET', KEYS[2], ARGV[1])
local had = recorded
if ARGV[4] ~= '' and (not recorded or follows(ARGV[4], recorded)) then
  had = ARGV[4]
end
if not had then
  return { 'begun', length, redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1], {} }
end

local state = 'on'
if not is_there(had) then
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
  if recorded and had ~= '0-0' and not was_empty and follows(first, had) then
    state = 'gap'
  else
    state = 'lost'
    had = recorded and is_there(recorded) and recorded or '0-0'
  end
end
if had ~= recorded then
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
local notes = {}
if ARGV[5] ~= '0' then
  notes = redis.call('XRANGE', KEYS[1], '(' .. had, '+', 'COUNT', ARGV[5])
end
return { state, length, #notes > 0 and notes[#notes][1] or had, notes }
