-- Stamp what changed of a session, and answer what other sites have to know of it.
--
-- KEYS[1] session  hash: as create writes it
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] at       when it changed, ms since the epoch
-- ARGV[4] removed  1: a removal was noted that is no expiry
-- ARGV[5] endsMs   how long a removal is remembered
-- ARGV[6] touch    1: only times changed since other sites were told; left out, more did
--
-- Returns JSON of its state, of its times alone where others know the rest, or nil when there is nothing to tell.

local now = tonumber(ARGV[1])
if ARGV[6] then
  -- include: telling-times
  local alone = times_alone(KEYS[1], now)
  if alone then
    return alone
  end
end

-- include: lag, times, keys, reading, indexes, sharing, putting
local _, kind = parts(KEYS[1])
local revives = kind == 'o'
local values = values_of(KEYS[1])
if values == false and ARGV[4] == '0' then
  return false
end
local stamps, raw = stamps_of(KEYS[1])
local state, follows_now = state_of(values, stamps, tonumber(ARGV[3]), ARGV[2], now, revives, ARGV[4] == '1')
if not state then
  return false
end
if not state.g and values ~= nil then
  take_out(KEYS[1])
elseif state.g and (follows_now or state.r ~= values.r) then
  put(KEYS[1], values, state, now)
end
write_stamps(KEYS[1], raw, state, now, tonumber(ARGV[5]))
state.v = 1
return cjson.encode(state)
