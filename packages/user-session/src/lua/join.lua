-- Join what another site knows of a session with what is known here.
--
-- KEYS[1] session  hash: as create writes it
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] state    JSON, as share answers it
-- ARGV[4] endsMs   how long a removal is remembered
-- ARGV[5] aheadMs  how far stamps may be ahead of now
--
-- Returns changed or same; newer: a state of a version that is not known here; ahead: a stamp is too far ahead; unreadable: the record
-- here cannot be read. But for the first nothing was written but stamps.

-- include: lag, times, keys, reading, indexes, moments, sharing, fenced-stamp
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
if state.g then
  state.k = larger(state.k, stamps.K and stamps.K[1])
end

-- What began before a removal of all sessions of the user, or of the realm, ends with it. What is here already was looked at when
-- that removal came; k says which removal has spared it.
if state.g and not values then
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
  return write_stamps(KEYS[1], raw, state, now, tonumber(ARGV[4])) and 'changed' or values and 'changed' or 'same'
end
local expires = tonumber(state.x)
if not values and expires <= now then
  return 'same'
end

local started, remember, beginning, own_links, login, address, method = unpack(cjson.decode(state.g[2])) -- at most 7
local user, broker_session, broker_user = string.match(own_links, '^([^:]*):([^:]*):([^:]*)$')
local t = {
  started = tonumber(started), refreshed = tonumber(state.r), expires = expires,
  score = values and values.t.score or 0, remember = remember == 'r',
}
if values and values.links ~= own_links then
  local _, old_session, old_user = string.match(values.links, '^([^:]*):([^:]*):([^:]*)$')
  unlink(base, realm, id, user, old_session or '', old_user or '')
  t.score = 0
end

local fields = {}
local function set(field, value)
  fields[#fields + 1], fields[#fields + 2] = field, value
end

-- The notes among the parts, as a record holds them.
local function notes_in(n)
  local notes = {}
  for part, register in pairs(n) do
    local name, first = string.match(part, '^n:(.*)$'), string.sub(register[2], 1, 1)
    if name and register[2] ~= '-' then
      notes[name] = first == 'e' and cjson.decode(string.sub(register[2], 2)) or string.sub(register[2], 2)
    end
  end
  return next(notes) ~= nil and notes or nil
end
-- Whether a record already holds what the parts say.
local function holds(n, values_there)
  for part, register in pairs(n) do
    if (values_there[part] or '-') ~= register[2] then
      return false
    end
  end
  for part in pairs(values_there) do
    if not n[part] then
      return false
    end
  end
  return true
end

if not values or values.g ~= state.g[2] or not holds(state.n, values.n) then
  local data = { l = login or nil, i = address or nil, m = method or nil, n = notes_in(state.n) }
  data.s = state.n.s and state.n.s[2] ~= '-' and rank_of_state(state.n.s[2]) or nil
  set('d', cjson.encode(data) .. own_links)
  if beginning ~= '' then
    set('b', beginning)
  end
end

-- Indexes follow as they do in a refresh: only once they are astray.
if t.score == 0 or astray(expires, t.score, math.max(expires - t.refreshed, 0)) then
  index_session(head, kind, realm, id, user, broker_session, broker_user, text(expires), t.score, now)
  t.score = expires
end
local function leave_client(client)
  redis.call('HDEL', KEYS[1], 'c:' .. client)
  redis.call('ZREM', base .. 'c:' .. realm .. ':' .. client, id)
end
for client, c in pairs(state.c) do
  local held = values and values.c[client]
  if c[2] == '-' then
    if held then
      leave_client(client)
    end
  else
    -- A client session counts no longer than the session, so its score follows that as well.
    local ends, score = math.min(tonumber(c[4]), expires), held and held.score or 0
    local follows_now = ends > now and (score == 0 or astray(ends, score, math.max(c[4] - c[3], 0)))
    if follows_now then
      index_client(base, realm, id, client, text(ends), score, now)
      score = ends
    end
    if follows_now or not held or held.started ~= c[2] or held.r ~= c[3] or held.x ~= c[4] or not holds(c[5], held.n) then
      local p, u, a, h, y = unpack(cjson.decode(c[5].d and c[5].d[2] or '[]')) -- at most 5
      local data = { p = p or nil, u = u or nil, a = a or nil, h = h or nil, y = y or nil, n = notes_in(c[5]) }
      local json = next(data) ~= nil and cjson.encode(data) or '{}'
      set('c:' .. client, client_text({
        started = tonumber(c[2]), refreshed = tonumber(c[3]), expires = tonumber(c[4]), score = score, client = client, data = json,
      }))
    end
  end
end
for client in pairs(values and values.c or {}) do
  if not state.c[client] then
    leave_client(client)
  end
end
for field, part in pairs(state.f) do
  local held = values and values.f[field] or '-'
  if part[2] ~= held then
    if part[2] == '-' then
      redis.call('HDEL', KEYS[1], field)
    else
      set(field, part[2])
    end
  end
end
for field in pairs(values and values.f or {}) do
  if not state.f[field] then
    redis.call('HDEL', KEYS[1], field)
  end
end

local is_same = #fields == 0 and values and values.r == state.r and values.x == state.x
if not is_same then
  -- A client session may end on its own now: what follows looks.
  t.own = false
  set('t', text_of(t))
end
for i = 1, #fields, 1000 do
  redis.call('HSET', KEYS[1], unpack(fields, i, math.min(i + 999, #fields)))
end
expire(KEYS[1], expires, now)
local is_new = write_stamps(KEYS[1], raw, state, now, tonumber(ARGV[4]))
return (not is_same or is_new) and 'changed' or 'same'
