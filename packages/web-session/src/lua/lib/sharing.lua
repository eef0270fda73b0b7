-- include: shared, lengths, grace, beside
-- A session and its stamps. They lie beside it, in `xs`, with what the session was when it was stamped, by which a change is known; the
-- session itself stays what it is without sites.

-- How much longer stamps are kept than what they are of: clocks of sites may be apart.
local MARGIN = 600000

local function text(number)
  return string.format('%.0f', number)
end

-- What stands for a value beside its stamp.
local function digest(value)
  return #value <= 16 and '=' .. value or '#' .. string.sub(redis.sha1hex(value), 1, 16)
end

local function name_in(key)
  return string.match(key, '^(.*{%x%x}:)(.*)$')
end

-- The session of a key and its ended generations; false for what cannot be read.
local function slot_of(key)
  local whole = redis.call('GET', key)
  local s, ended = read(whole)
  if whole and not s and not string.find(whole, '^0:[^:]*:$') then
    return false
  end
  return s, ended
end

-- The stamps beside a session, and the fields as they are.
local function stamps_of(key)
  local head, name = name_in(key)
  local fields, raw, stamps = redis.call('HGETALL', head .. 'xs:' .. name), {}, { n = {}, f = {}, m = {} }
  for i = 1, #fields, 2 do
    local field, value = fields[i], fields[i + 1]
    raw[field] = value
    local map, of = string.match(field, '^([nfm]):(.*)$')
    if map then
      stamps[map][of] = value
    else
      stamps[field] = value
    end
  end
  stamps.birth, stamps.generation, stamps.created = string.match(stamps.B or '', '^([^:]*):([^:]*):(.*)$')
  return stamps, raw
end

-- Each name of the data of a session, and its value, as JSON.
local function each_name(s, take)
  local at, json = 2, s.data
  for name, value in string.gmatch(s.lengths == '' and lengths_of(json) or s.lengths, '(%d+),(%d+)') do
    local behind = at + tonumber(name)
    local last = behind + tonumber(value)
    take(string.sub(json, at, behind - 1), string.sub(json, behind + 1, last))
    at = last + 2
  end
end

-- A session with its stamps. What changed since it was stamped last is stamped now: at `at`, or a moment behind the highest stamp that it
-- has seen. Nil when sites hold nothing of it.
local function state_of(s, ended, stamps, at, site, now, ends_ms)
  local m = {}
  for generation, ends in pairs(stamps.m) do
    if tonumber(ends) + ends_ms > now then
      m[generation] = ends
    end
  end
  for ends, generation in string.gmatch(ended, '(%d+){([^}]*)}') do
    m[generation] = larger(m[generation], ends)
  end
  local d = stamps.D
  if not s or s.expires <= now then
    -- What only came to its end may live at another site.
    return (d or next(m)) and { d = d, m = next(m) and m or nil } or nil
  end

  local highest, fresh = ms_in(d or ''), nil
  for _, field in ipairs({ 'B', 'X', 'S', 'U', 'A', 'L' }) do
    highest = math.max(highest, ms_in(stamps[field] or ''))
  end
  for _, part in pairs(stamps.f) do
    highest = math.max(highest, ms_in(part))
  end
  -- A generation may come again once it is refused no more.
  if m[s.generation] and tonumber(m[s.generation]) <= now then
    highest = math.max(highest, tonumber(m[s.generation]))
  end
  local function stamp()
    fresh = fresh or string.format('%015.0f', math.max(at, highest + 1)) .. site
    return fresh
  end

  local is_same = stamps.birth and (not d or follows(stamps.birth, d))
    and stamps.generation == s.generation and stamps.created == s.created
  if stamps.birth and not is_same then
    d = later(d, stamps.birth)
  end
  local known = is_same and stamps or { n = {}, f = {} }
  -- The stamp of a value: of its last change.
  local function of(held, value)
    local since, before = string.match(held or '', '^(%S+) (.*)$')
    return before == value and since or stamp()
  end

  local others, own = 0, tonumber(known.n[site] or '0')
  local n, f = {}, {}
  for of_site, count in pairs(known.n) do
    n[of_site] = count
    others = others + (of_site == site and 0 or tonumber(count))
  end
  own = math.max(own, tonumber(s.version) - others)
  if own > 0 then
    n[site] = text(own)
  end
  each_name(s, function(name, value)
    f[name] = { of(known.f[name], digest(value)), '=' .. value }
  end)
  for name, held in pairs(known.f) do
    if not f[name] then
      local since = of(held, '-')
      -- For so long it is remembered that a name was taken out.
      if ms_in(since) + ends_ms > now then
        f[name] = { since, '-' }
      end
    end
  end
  local birth = is_same and stamps.birth or stamp()
  local shortened, expires = string.match(known.X or birth .. ' 0', '^(%S+) (%d+)$')
  if s.expires < tonumber(expires) then
    shortened = stamp()
  end
  local since = s.user == '' and '' or s.since == '' and s.created or s.since
  return {
    d = d,
    m = next(m) and m or nil,
    c = {
      b = birth, g = s.generation, t = s.created, k = known.K, n = n, f = f,
      x = { shortened, text(s.expires) },
      s = { of(known.S, s.saved), s.saved },
      u = { of(known.U, digest(s.user .. ':' .. since)), s.user, since },
      a = { of(known.A, digest(s.alias)), s.alias },
      l = { of(known.L, digest(s.labels)), s.labels },
    },
  }
end

-- Notes that other sites have to be told of a name again, when everything is.
local function remember(head, name, ends, now)
  local known = head .. 'xv'
  if tonumber(redis.call('ZSCORE', known, name) or '0') < ends then
    -- An hour ahead, so that it need not be done often.
    enter(known, text(ends + 3600000), name, text(ends + 3600000 - now), now % 4 == 0 and text(now))
  end
end

-- Writes the stamps beside a session, as far as they changed. Answers whether they did.
local function write_stamps(key, raw, state, now, ends_ms)
  local head, name = name_in(key)
  local beside, flat, ends = head .. 'xs:' .. name, { D = state.d }, 0
  for generation, until_ms in pairs(state.m or {}) do
    flat['m:' .. generation] = until_ms
    ends = math.max(ends, tonumber(until_ms) + ends_ms)
  end
  if state.d then
    ends = math.max(ends, now + ends_ms)
  end
  local c = state.c
  if c then
    flat.B, flat.K = c.b .. ':' .. c.g .. ':' .. c.t, c.k
    flat.X, flat.S = c.x[1] .. ' ' .. c.x[2], c.s[1] .. ' ' .. c.s[2]
    flat.U = c.u[1] .. ' ' .. digest(c.u[2] .. ':' .. c.u[3])
    flat.A, flat.L = c.a[1] .. ' ' .. digest(c.a[2]), c.l[1] .. ' ' .. digest(c.l[2])
    for site, count in pairs(c.n) do
      flat['n:' .. site] = count
    end
    for of_name, part in pairs(c.f) do
      flat['f:' .. of_name] = part[1] .. ' ' .. (part[2] == '-' and '-' or digest(string.sub(part[2], 2)))
    end
    ends = math.max(ends, tonumber(c.x[2]) + MARGIN)
  end
  local is_new = write_beside(beside, raw, flat)
  if is_new and ends > now then
    redis.call('PEXPIRE', beside, text(ends - now))
    remember(head, name, ends, now)
  end
  return is_new
end
