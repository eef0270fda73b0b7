-- Stamp what changed of a root, and answer what other sites have to know of it.
--
-- KEYS[1] root     hash: see get-or-create-root
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] at       when it changed, ms since the epoch
-- ARGV[4] removed  1: a removal was noted
-- ARGV[5] endsMs   how long a removal is remembered
--
-- Returns JSON of its state, or nil when there is nothing to tell.

-- include: sharing
local now, root = tonumber(ARGV[1]), stored_root(KEYS[1])
if root == false then
  return false
end
local head, name = name_in(KEYS[1])
local stamps = fields_of(head .. 'xs:' .. name)
local state = state_of(root, stamps, tonumber(ARGV[3]), ARGV[2], now, ARGV[4] == '1')
if not state then
  return false
end
write_stamps(KEYS[1], stamps, state, now, tonumber(ARGV[5]))
state.v = 1
return cjson.encode(state)
