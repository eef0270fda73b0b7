-- Stamp what changed of a record, and answer what other sites have to know of it.
--
-- KEYS[1] record   hash: as record-failure writes it
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] at       when it changed, ms since the epoch
-- ARGV[4] removed  1: a removal was noted
-- ARGV[5] endsMs   how long a clear is remembered
-- ARGV[6] policy   as record-failure takes it; empty: not known
--
-- Returns JSON of its state, or nil when there is nothing to tell.

-- include: never, longest, record, follows, sharing
local now = tonumber(ARGV[1])
local values = stored_record(KEYS[1])
if not values and redis.call('EXISTS', KEYS[1]) == 1 then
  return false
end
local stamps = stamps_of(KEYS[1])
local state = state_of(values, stamps, tonumber(ARGV[3]), ARGV[2], now, ARGV[4] == '1', ARGV[6])
if not state then
  return false
end
write_stamps(KEYS[1], stamps, state, state.x > 0 and values or nil, now, tonumber(ARGV[5]))
state.v = 1
return cjson.encode(state)
