-- The notes of a partition that nobody has told yet, as far as who asks knows.
--
-- KEYS[1] notes     stream: an entry per change
-- KEYS[2] had       hash: by consumer the id of the last note that it has had
-- ARGV[1] consumer  its name
-- ARGV[2] after     id of a note that was told, or is being told; empty: none is known
-- ARGV[3] limit     most notes to answer
--
-- Returns {id of the last note, empty for none; notes behind the later of both places}.

local function follows(a, b)
  local ms, n = string.match(a, '^(%d+)-(%d+)$')
  local other_ms, other_n = string.match(b, '^(%d+)-(%d+)$')
  ms, n, other_ms, other_n = tonumber(ms), tonumber(n), tonumber(other_ms), tonumber(other_n)
  return ms > other_ms or (ms == other_ms and n > other_n)
end

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local had = redis.call('HGET', KEYS[2], ARGV[1]) or '0-0'
local after = ARGV[2]
if after == '' or follows(had, after) then
  after = had
end
return { last and last[1] or '', redis.call('XRANGE', KEYS[1], '(' .. after, '+', 'COUNT', ARGV[3]) }
