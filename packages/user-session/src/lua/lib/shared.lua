-- What sites agree on of a session, made of parts with a stamp each: 15 digits of a hybrid clock, ms since the epoch, and the site.
-- Of two values of a part the one with the higher stamp stands. Stamps are kept beside the record, in `xs`, by which a value that
-- changed is known; the record itself stays what it is without sites. src/shared-state.ts is the same in TypeScript.

local function text(number)
  return string.format('%.0f', number)
end

-- include: forks

-- What stands for a value beside its stamp; - for none.
local function token(value)
  if value == '-' then
    return value
  end
  return #value <= 16 and '=' .. value or '#' .. string.sub(redis.sha1hex(value), 1, 16)
end

-- States as they follow each other on the way out; LOGGED_OUT_UNCONFIRMED has a higher number than LOGGED_OUT and comes before it.
-- The same the other way round.
local function rank_of_state(state)
  return state == '2' and '3' or state == '3' and '2' or state
end

local function name_in(key)
  return string.match(key, '^(.*{%x%x}:)(.*)$')
end

local function add_notes(to, notes)
  for name, note in pairs(notes or {}) do
    to['n:' .. name] = type(note) == 'table' and 'e' .. cjson.encode(note) or 's' .. note
  end
end

-- The values of a record by their parts; nil when there is none, false when it cannot be read. Parts: g what a restart replaces, r and
-- x lastRefreshAt and expiresAt, n state and notes, c client sessions with r, x and parts n of their own, f refresh tokens.
local function values_of(key)
  local fields, hash = redis.call('HGETALL', key), {}
  for i = 1, #fields, 2 do
    hash[fields[i]] = fields[i + 1]
  end
  if #fields == 0 then
    return nil
  end
  local t = times(hash.t)
  local own_links = links_behind(hash.t, hash.d)
  local readable, data = pcall(cjson.decode, t and t.links and hash.d or string.match(hash.d or '', '^.*}'))
  if not t or not (t.links or t.version == '1') or not readable or not string.find(own_links, '^[^:]*:[^:]*:[^:]*$') then
    return false
  end
  local values = { t = t, links = own_links, r = text(t.refreshed), x = text(t.expires), n = { s = rank_of_state(data.s or '-') }, c = {}, f = {} }
  values.g = cjson.encode({
    text(t.started), t.remember and 'r' or '', hash.b or '', own_links, data.l or false, data.i or false, data.m or false,
  })
  add_notes(values.n, data.n)
  for field, value in pairs(hash) do
    local first = string.sub(field, 1, 2)
    if first == 'c:' then
      local c = client_session(value)
      local can_read, of_client = pcall(cjson.decode, c and (c.data or string.match(hash['a:' .. c.client] or '', '^a [^{]*({.*)$')))
      if not can_read then
        return false
      end
      local n = {
        d = cjson.encode({
          of_client.p or false, of_client.u or false, of_client.a or false, of_client.h or false, of_client.y or false,
        }),
      }
      add_notes(n, of_client.n)
      values.c[c.client] = { started = text(c.started), r = text(c.refreshed), x = text(c.expires), score = c.score, n = n }
    elseif first == 'f:' or first == 'g:' then
      values.f[field] = value
    end
  end
  return values
end

-- The stamps beside a record, each as {stamp, token}, and the fields as they are.
local function stamps_of(key)
  local head, name = name_in(key)
  local fields, stamps, raw = redis.call('HGETALL', head .. 'xs:' .. name), {}, {}
  for i = 1, #fields, 2 do
    local stamp, of_value = string.match(fields[i + 1], '^(%S+) ?(.*)$')
    raw[fields[i]] = fields[i + 1]
    stamps[fields[i]] = { stamp, of_value }
  end
  return stamps, raw
end

-- Whether a stamp is higher than another; none is the lowest.
local function after(a, b)
  return a ~= nil and a ~= b and (b == nil or follows(a, b))
end

local function is_dead(state, revives)
  return state.d ~= nil and not (revives and state.g and after(state.g[1], state.d))
end

-- A record with its stamps. What changed since it was stamped last is stamped now: at `at`, or a moment behind the highest stamp that
-- the record has seen. Removed: it was removed, whatever is there now. Revives: its id may come again. Nil when sites hold nothing of it.
-- Answers as well whether the record has to follow.
local function state_of(values, stamps, at, site, now, revives, removed)
  local highest = 0
  for field, part in pairs(stamps) do
    highest = field ~= 'x' and field ~= 'K' and math.max(highest, tonumber(string.sub(part[1], 1, 15)) or 0) or highest
  end
  local function stamp()
    return string.format('%015.0f', math.max(at, highest + 1)) .. site
  end
  local d = stamps.D and stamps.D[1]
  if removed and next(stamps) then
    d = stamp()
    highest = tonumber(string.sub(d, 1, 15))
  end
  if not values then
    if not d and stamps.x and tonumber(stamps.x[1]) > now then
      d = stamp()
    end
    return d and { d = d }
  end
  if d and not revives then
    return { d = d }
  end
  local fresh, g = stamp(), stamps.G
  local anew = not g or g[2] ~= token(values.g)
  if not anew and d and not after(g[1], d) then
    return { d = d }
  end

  local state = { d = d, g = { anew and fresh or g[1], values.g }, r = values.r, x = values.x, n = {}, c = {}, f = {} }
  state.k = stamps.K and stamps.K[1]
  -- A restart by a clock that is behind does not make it older than it was.
  local used = not (revives and anew) and stamps.x and tonumber(stamps.x[2])
  if used and used > values.t.refreshed then
    state.r, state.x = stamps.x[2], stamps.x[1]
  end
  local function stamped(field, value, is_anew)
    local known = not is_anew and stamps[field]
    return { known and known[2] == token(value) and known[1] or fresh, value }
  end
  for part, value in pairs(values.n) do
    state.n[part] = stamped(part, value, anew)
  end
  -- A state that goes on needs no new stamp: of two the further one stands. One that is taken back does.
  local s = not anew and stamps.s
  if s and not follows(string.sub(s[2] == '-' and '=-' or s[2], 2), values.n.s) then
    state.n.s[1] = s[1]
  end
  for client, c in pairs(values.c) do
    local known = not anew and stamps['c:' .. client]
    local is_same = known and known[2] == token(c.started)
    local n = {}
    for part, value in pairs(c.n) do
      n[part] = stamped('p:' .. client .. ':' .. part, value, not is_same)
    end
    state.c[client] = { is_same and known[1] or fresh, c.started, c.r, c.x, n }
  end
  state.u = {}
  for field, value in pairs(values.f) do
    state.f[field] = stamped(field, value, revives and anew)
    -- A use that is not stamped yet was made here.
    local c = state.f[field][1] == fresh and values.c[string.match(field, '^f:([^:]*):')]
    local uses = uses_joined(field, not (revives and anew) and uses_in(stamps, field) or {}, { c and use_of(value, c.started) or nil })
    state.u[field] = #uses > 0 and uses or nil
  end
  for field, part in pairs(stamps) do
    local first = string.sub(field, 1, 2)
    local gone = { part[2] == '-' and part[1] or fresh, '-' }
    if first == 'n:' and not anew then
      state.n[field] = state.n[field] or gone
    elseif first == 'c:' and not anew then
      local client = string.sub(field, 3)
      state.c[client] = state.c[client] or gone
    elseif first == 'p:' and not anew then
      local client, name = string.match(field, '^p:([^:]*):(.*)$')
      local c, attached = values.c[client] and state.c[client], stamps['c:' .. client]
      if c and attached and c[1] == attached[1] then
        c[5][name] = c[5][name] or gone
      end
    elseif (first == 'f:' or first == 'g:') and not (revives and anew) then
      state.f[field] = state.f[field] or gone
    end
  end
  return state, select(2, settle_forks(state))
end

-- The laws of a join: the order in which states meet, and how often, does not matter.
local function higher(a, b)
  if not a or not b then
    return a or b
  end
  if a[1] ~= b[1] then
    return follows(a[1], b[1]) and a or b
  end
  return (a[2] == b[2] or follows(a[2], b[2])) and a or b
end

local function larger(a, b)
  if not a or not b then
    return a or b
  end
  return tonumber(a) >= tonumber(b) and a or b
end

-- Of two uses the later one stands, with the end that follows from it. Of one use the sooner end: time-outs were shortened.
local function latest_use(a_used, a_ends, b_used, b_ends)
  local a, b = tonumber(a_used), tonumber(b_used)
  if a > b or (a == b and tonumber(a_ends) <= tonumber(b_ends)) then
    return a_used, a_ends
  end
  return b_used, b_ends
end

-- A family that ended stays so; of a forgotten one the latest instant counts.
local function higher_token(field, a, b)
  if not a or not b then
    return a or b
  end
  local function rank(part)
    if string.sub(field, 1, 2) == 'g:' then
      return tonumber(part[2]) or -1
    end
    return string.sub(part[2], 1, 2) == '0:' and 1 or 0
  end
  local rank_a, rank_b = rank(a), rank(b)
  if rank_a ~= rank_b then
    return rank_a > rank_b and a or b
  end
  return higher(a, b)
end

local function each_of(a, b, choose)
  local joined = {}
  for field, part in pairs(a) do
    joined[field] = choose(field, part, b[field])
  end
  for field, part in pairs(b) do
    joined[field] = joined[field] or part
  end
  return joined
end

local function higher_part(_, a, b)
  return higher(a, b)
end

local function higher_client(_, a, b)
  local first = higher(a, b)
  if not a or not b or a[1] ~= b[1] or a[2] ~= b[2] or a[2] == '-' then
    return first
  end
  local used, ends = latest_use(a[3], a[4], b[3], b[4])
  return { a[1], a[2], used, ends, each_of(a[5], b[5], higher_part) }
end

local function joined_of(a, b, revives)
  if not a or not b then
    return a or b
  end
  local d = after(b.d, a.d) and b.d or a.d
  local g = higher(a.g, b.g)
  if is_dead({ d = d, g = g }, revives) then
    return { d = d }
  end
  local is_same = a.g and b.g and a.g[1] == b.g[1] and a.g[2] == b.g[2]
  local first = g == a.g and a or b
  local joined = { d = d, g = g, n = first.n, c = first.c }
  if is_same then
    joined.n, joined.c = each_of(a.n, b.n, higher_part), each_of(a.c, b.c, higher_client)
  end
  if is_same or not revives then
    joined.r, joined.x = latest_use(a.r, a.x, b.r, b.x)
    joined.k = larger(a.k, b.k)
    joined.f, joined.u = each_of(a.f or {}, b.f or {}, higher_token), each_of(a.u or {}, b.u or {}, uses_joined)
  else
    joined.r, joined.x, joined.k, joined.f, joined.u = first.r, first.x, first.k, first.f, first.u
  end
  return joined
end
