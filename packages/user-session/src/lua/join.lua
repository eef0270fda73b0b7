-- Join what another site knows of a session with what is known here.
--
-- KEYS[1] session  hash: as create writes it
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] state    JSON, as share answers it
-- ARGV[4] endsMs   how long a removal is remembered
-- ARGV[5] aheadMs  how far stamps may be ahead of now
-- ARGV[6] layout   of a new record
--
-- Returns changed or same; {changed, JSON of that, client...} when it was found that two sites exchanged one refresh token of these;
-- {changed or same, JSON of that} when it was told of a session as over that goes on;
-- {gone, JSON of that} when it was told of a session that has ended; newer: a state of a version that is not known here; ahead: a stamp is too far ahead; unreadable: the record
-- here cannot be read. But for the first nothing was written but stamps.

-- include: lag, times, keys, reading, indexes, moments, sharing, putting, fenced-stamp
local now = tonumber(ARGV[1])
local head, kind, _, realm, id = parts(KEYS[1])
local base, revives = head .. kind, kind == 'o'
local told = cjson.decode(ARGV[3])
if told.v ~= 1 then
  return 'newer'
end
local function is_ahead(part)
  return part and tonumber(string.sub(part, 1, 15)) > now + tonumber(ARGV[5])
end
local ahead = is_ahead(told.d) or is_ahead(told.g and told.g[1])
for _, field in ipairs({ 'n', 'c', 'f' }) do
  for _, part in pairs(told[field] or {}) do
    ahead = ahead or is_ahead(part[1])
    for _, inner in pairs(part[5] or {}) do
      ahead = ahead or is_ahead(inner[1])
    end
  end
end
if ahead then
  return 'ahead'
end

local values = values_of(KEYS[1])
if values == false and told.g then
  return 'unreadable'
end
local stamps, raw = stamps_of(KEYS[1])
local mine = state_of(values, stamps, now, ARGV[2], now, revives, false)
local state = joined_of(mine, told, revives)
local forked = {}
if state.g then
  state.k = larger(state.k, stamps.K and stamps.K[1])
  forked = settle_forks(state)
end

-- What began before a removal of all sessions of the user, or of the realm, ends with it. What lives here was looked at when
-- that removal came; k says which removal has spared it.
if state.g and not (values and values.t.expires > now) then
  local of_session = cjson.decode(state.g[2])
  local user = string.match(of_session[4], '^([^:]*):')
  local beginning = of_session[3] ~= '' and of_session[3] or of_session[1] .. '000'
  local spared = math.max(tonumber(state.k) or 0, tonumber(stamps.K and stamps.K[1]) or 0)
  local fence, long = base .. 'f:' .. realm, head .. 'xf:' .. kind .. 'f:' .. realm
  for _, mark in ipairs(redis.call('MGET', fence, fence .. ':' .. user, long, long .. ':' .. user)) do
    if mark and began_before(beginning, mark) and parts_of_mark(mark) > spared then
      state = { d = fenced_stamp(state.g[1]) }
      break
    end
  end
end

if not state.g then
  if values ~= nil then
    take_out(KEYS[1])
  end
  local is_new = write_stamps(KEYS[1], raw, state, now, tonumber(ARGV[4]))
  if told.g then
    return { 'gone', cjson.encode({ v = 1, d = state.d }) }
  end
  return (is_new or values) and 'changed' or 'same'
end
local expires = tonumber(state.x)
if not values and expires <= now then
  return 'same'
end

local is_same = put(KEYS[1], values, state, now, ARGV[6])
local is_new = write_stamps(KEYS[1], raw, state, now, tonumber(ARGV[4]))
local outcome = (not is_same or is_new) and 'changed' or 'same'
-- Where a session is over it may be swept by now, with what was told here: it is told back.
local is_over_there = told.x and tonumber(told.x) <= now and expires > now
if next(forked) or is_over_there then
  state.v = 1
  local answer = { outcome, cjson.encode(state) }
  for client in pairs(forked) do
    answer[#answer + 1] = client
  end
  return answer
end
return outcome
