-- Stamp what changed of a token, and answer what other sites have to know of it.
--
-- KEYS[1] token    see put.lua
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] at       when it changed, ms since the epoch
-- ARGV[4] removed  1: a removal was noted
-- ARGV[5] endsMs   how long a removal is remembered
--
-- Returns JSON of its state, or nil when there is nothing to tell.

-- include: sharing
local now = tonumber(ARGV[1])
local token = token_of(KEYS[1])
if token == false then
  return false
end
local stamps, raw = stamps_of(KEYS[1])
local state = state_of(token, stamps, tonumber(ARGV[3]), ARGV[2], now, ARGV[4] == '1')
if not state then
  return false
end
local head, name = name_in(KEYS[1])
-- A full server goes on with a script that began with a write that cannot grow: what was redeemed or removed there is told.
redis.call('HDEL', head .. 'xs:' .. name, '')
write_stamps(KEYS[1], raw, state, now, tonumber(ARGV[5]))
state.v = 1
return cjson.encode(state)
