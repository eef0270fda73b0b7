-- Join what another site knows of a root with what is known here.
--
-- KEYS[1] root     hash: see get-or-create-root
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] state    JSON, as share answers it
-- ARGV[4] endsMs   how long a removal is remembered
-- ARGV[5] aheadMs  how far stamps may be ahead of now
--
-- Returns {outcome, JSON of what is known better or empty}. Outcome: changed or same; gone: it was told of a root that has ended; newer: a
-- state of a version that is not known here; ahead: a stamp is too far ahead; unreadable: the root here cannot be read. The last three
-- wrote nothing.

-- include: sharing
local now = tonumber(ARGV[1])
local told = cjson.decode(ARGV[3])
if told.v ~= 1 then
  return { 'newer', '' }
end
local latest, c = ms_in(told.d), told.c
if c then
  latest = math.max(latest, ms_in(c.b), ms_in(c.x[1]))
  for _, tab in pairs(c.t) do
    for _, part in pairs(tab.f) do
      latest = math.max(latest, ms_in(part[1]))
    end
  end
end
if latest > now + tonumber(ARGV[5]) then
  return { 'ahead', '' }
end
local root = stored_root(KEYS[1])
if root == false then
  return { 'unreadable', '' }
end
local head, name = name_in(KEYS[1])
local stamps = fields_of(head .. 'xs:' .. name)
local mine = state_of(root, stamps, now, ARGV[2], now, false)
if c and tonumber(c.x[2]) <= now then
  c = nil
end
if not c and not told.d then
  return { 'same', '' }
end
local state = joined_of(mine or {}, { d = told.d, c = c })
local is_same = put_root(KEYS[1], root, state, now)
local is_new = write_stamps(KEYS[1], stamps, state, now, tonumber(ARGV[4]))
if c and not state.c then
  return { 'gone', cjson.encode({ v = 1, d = state.d }) }
end
return { (not is_same or is_new) and 'changed' or 'same', '' }
