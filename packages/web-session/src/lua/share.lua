-- Stamp what changed of a session, and answer what other sites have to know of it.
--
-- KEYS[1] record  see lib/slot
-- ARGV[1] now     ms since the epoch
-- ARGV[2] site    the site that this is
-- ARGV[3] at      when it changed, ms since the epoch
-- ARGV[4] endsMs  how long a removal is remembered
--
-- Returns JSON of its state, or nil when there is nothing to tell.

-- include: enter, slot, sharing
local now, ends_ms = tonumber(ARGV[1]), tonumber(ARGV[4])
local s, ended = slot_of(KEYS[1])
if s == false then
  return false
end
local stamps, raw = stamps_of(KEYS[1])
local state = state_of(s, ended, stamps, tonumber(ARGV[3]), ARGV[2], now, ends_ms)
if not state then
  return false
end
write_stamps(KEYS[1], raw, state, now, ends_ms)
state.v = 1
return cjson.encode(state)
