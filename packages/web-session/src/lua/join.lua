-- Join what another site knows of a session with what is known here.
--
-- KEYS[1] record   see lib/slot
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] state    JSON, as share answers it
-- ARGV[4] endsMs   how long a removal is remembered
-- ARGV[5] aheadMs  how far stamps may be ahead of now
-- ARGV[6] member   what indexes call the session
-- ARGV[7] layout   in which it is written
--
-- Returns {outcome, JSON of what is known better or empty, alias and score of what lives or empty}. Outcome: changed or same; gone: it was
-- told of a session that has ended; newer: a state of a version that is not known here; ahead: a stamp is too far ahead; unreadable: the
-- session here cannot be read. The last three wrote nothing.

-- include: moments, putting
local now, ends_ms = tonumber(ARGV[1]), tonumber(ARGV[4])
local told = cjson.decode(ARGV[3])
if told.v ~= 1 then
  return { 'newer', '', '', '' }
end
local latest, c = ms_in(told.d or ''), told.c
if c then
  latest = math.max(latest, ms_in(c.b), ms_in(c.x[1]), ms_in(c.s[1]), ms_in(c.u[1]), ms_in(c.a[1]), ms_in(c.l[1]))
  for _, part in pairs(c.f) do
    latest = math.max(latest, ms_in(part[1]))
  end
end
if latest > now + tonumber(ARGV[5]) then
  return { 'ahead', '', '', '' }
end
local s, ended = slot_of(KEYS[1])
if s == false then
  return { 'unreadable', '', '', '' }
end
local stamps, raw = stamps_of(KEYS[1])
local mine = state_of(s, ended, stamps, now, ARGV[2], now, ends_ms)
if c and tonumber(c.x[2]) <= now then
  c = nil
end
local state = joined_of(mine or {}, { d = told.d, m = told.m, c = c })

-- What began before a removal of all sessions of its user ends with it; k says which removal has spared it. Before other sites heard of
-- one, it has spared what lives here.
if state.c and state.c.u[2] ~= '' then
  local head, name = name_in(KEYS[1])
  local fence = 'wf:' .. string.match(name, '^wo:([^:]*):') .. ':' .. state.c.u[2]
  local marks = redis.call('MGET', head .. fence, head .. 'xf:' .. fence)
  local here, heard_of = parts_of_mark(marks[1] or ''), parts_of_mark(marks[2] or '')
  if not stamps.birth or stamps.birth == state.c.b then
    state.c.k = larger(state.c.k, stamps.K)
  end
  if here > heard_of and mine and mine.c and mine.c.u[2] == state.c.u[2] then
    state.c.k = larger(state.c.k, text(here))
  end
  local latest = math.max(here, heard_of)
  if latest >= beginning_of(state.c) and latest > tonumber(state.c.k or '0') then
    state = fenced_state(state)
  end
end

local is_same, living = put_session(KEYS[1], ARGV[6], s, ended, state, now, ARGV[7])
local is_new = write_stamps(KEYS[1], raw, state, now, ends_ms)
if c and not state.c then
  return { 'gone', cjson.encode({ v = 1, d = state.d, m = state.m }), '', '' }
end
local alias = living and living.alias or ''
return { (not is_same or is_new) and 'changed' or 'same', '', alias, alias ~= '' and text(living.score) or '' }
