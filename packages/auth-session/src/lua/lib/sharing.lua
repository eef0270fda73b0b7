-- include: shared, enter, grace, beside
-- A root and its stamps. They lie beside it, in `xs`, with what the root was when it was stamped, by which a change is known; the root
-- itself stays what it is without sites.

-- How much longer stamps are kept than what they are of: clocks of sites may be apart.
local MARGIN = 600000
local MAPS = { executionStatus = true, clientNotes = true, authNotes = true, userSessionNotes = true }

local function text(number)
  return string.format('%.0f', number)
end

local function digest(value)
  return #value <= 16 and '=' .. value or '#' .. string.sub(redis.sha1hex(value), 1, 16)
end

local function ms_in(stamp)
  return tonumber(string.sub(stamp or '', 1, 15)) or 0
end

local function name_in(key)
  return string.match(key, '^(.*{%x%x}:)(.*)$')
end

local function fields_of(key)
  local flat, fields = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
  end
  return fields
end

-- The root of a key: its fields; nil for none, false for what cannot be read.
local function stored_root(key)
  local fields = fields_of(key)
  if not next(fields) then
    return nil
  end
  if fields._v ~= '1' or not tonumber(fields.x) then
    return false
  end
  return fields
end

-- What can change in a tab, each under its path: a field, or a map, a dot and a name. Values are JSON.
local function paths_of(json)
  local paths, is_readable, data = {}, pcall(cjson.decode, json)
  for field, value in pairs(is_readable and type(data) == 'table' and data or {}) do
    if MAPS[field] and type(value) == 'table' then
      for name, of_name in pairs(value) do
        paths[field .. '.' .. name] = cjson.encode(of_name)
      end
    else
      paths[field] = cjson.encode(value)
    end
  end
  return paths
end

-- The data of a tab again.
local function data_of(f)
  local data = {}
  for path, part in pairs(f) do
    if part[2] ~= '-' then
      local value = cjson.decode('[' .. string.sub(part[2], 2) .. ']')[1]
      local field, name = string.match(path, '^(%a+)%.(.*)$')
      if field and MAPS[field] then
        data[field] = data[field] or {}
        data[field][name] = value
      else
        data[path] = value
      end
    end
  end
  return next(data) and cjson.encode(data) or '{}'
end

-- A root with its stamps. What changed since it was stamped last is stamped now: at `at`, or a moment behind the highest stamp that it has
-- seen. Nil when sites hold nothing of it.
local function state_of(root, stamps, at, site, now, removed)
  local d = stamps.D
  local birth, created = string.match(stamps.B or '', '^(%S+) (%d+)$')
  local since, known_expires = string.match(stamps.X or '', '^(%S+) (%d+)$')
  if not root or tonumber(root.x) <= now then
    -- What only came to its end may live at another site.
    if birth and (removed or not root and tonumber(known_expires) > now) then
      d = later(d, birth)
    end
    return d and { d = d } or nil
  end
  local highest, fresh = ms_in(d), nil
  for field, value in pairs(stamps) do
    if field ~= 'D' then
      highest = math.max(highest, ms_in(value))
    end
  end
  local function stamp()
    fresh = fresh or string.format('%015.0f', math.max(at, highest + 1)) .. site
    return fresh
  end
  local is_same = birth and created == root.c and (not d or follows(birth, d))
  if birth and not is_same then
    d = later(d, birth)
  end
  local known = is_same and stamps or {}
  local c = { b = is_same and birth or stamp(), c = root.c, s = root.s or '0', t = {}, r = {} }
  if not is_same then
    since = c.b
  elseif tonumber(root.x) < tonumber(known_expires) then
    since = stamp()
  end
  c.x = { since, root.x, root.u }
  for field, head in pairs(root) do
    local tab = string.match(field, '^t:(.*)$')
    if tab then
      local made, serial, promoted, client = string.match(head, '^(%d+) (%d+) (%d+) (.*)$')
      local f = {}
      for path, json in pairs(paths_of(root['d:' .. tab] or '{}')) do
        local held, before = string.match(known['f:' .. tab .. ':' .. path] or '', '^(%S+) (.*)$')
        f[path] = { before == digest(json) and held or stamp(), '=' .. json }
      end
      c.t[tab] = { h = (made or '0') .. ' ' .. (serial or '0') .. ' ' .. (client or ''), p = promoted or '0', f = f }
    end
  end
  for field, value in pairs(known) do
    local kind, tab, path = string.match(field, '^([rf]):([^:]*):?(.*)$')
    if kind == 'r' then
      c.r[tab] = value
    elseif kind and not c.t[tab] then
      c.r[tab] = c.r[tab] or stamp()
    elseif kind and path ~= '' and not c.t[tab].f[path] then
      local held, before = string.match(value, '^(%S+) (.*)$')
      c.t[tab].f[path] = { before == '-' and held or stamp(), '-' }
    end
  end
  return { d = d, c = c }
end

-- Writes what sites agree on into the root and the index of its realm. Answers whether all of it was there already.
local function put_root(key, root, state, now)
  local head, name = name_in(key)
  local realm, id = string.match(name, '^auth:([^:]*):(.*)$')
  local index, c = head .. 'auth-realm:' .. realm, state.c
  if not c then
    if root then
      redis.call('UNLINK', key)
      redis.call('ZREM', index, id)
    end
    return not root
  end
  local wanted = { _v = '1', c = c.c, u = c.x[3], x = c.x[2], s = c.s }
  for tab, of_tab in pairs(c.t) do
    local made, serial, client = string.match(of_tab.h, '^(%d+) (%d+) (.*)$')
    wanted['t:' .. tab] = made .. ' ' .. serial .. ' ' .. of_tab.p .. ' ' .. client
    local is_same, before = root ~= nil, paths_of(root and root['d:' .. tab] or '{}')
    for path, part in pairs(of_tab.f) do
      is_same = is_same and (before[path] and '=' .. before[path] or '-') == part[2]
    end
    -- A root that began later has nothing of the one before it.
    for path in pairs(before) do
      is_same = is_same and of_tab.f[path] ~= nil
    end
    wanted['d:' .. tab] = is_same and root['d:' .. tab] or data_of(of_tab.f)
  end
  local is_same = true
  for field, value in pairs(wanted) do
    if not root or root[field] ~= value then
      redis.call('HSET', key, field, value)
      is_same = false
    end
  end
  for field in pairs(root or {}) do
    if not wanted[field] then
      redis.call('HDEL', key, field)
      is_same = false
    end
  end
  if not is_same then
    local ttl = text(tonumber(c.x[2]) - now + GRACE)
    redis.call('PEXPIRE', key, ttl)
    enter(index, c.x[2], id, ttl, now)
  end
  return is_same
end

-- Writes the stamps beside a root, as far as they changed. Answers whether they did.
local function write_stamps(key, raw, state, now, ends_ms)
  local head, name = name_in(key)
  local beside, flat, ends, c = head .. 'xs:' .. name, { D = state.d }, state.d and now + ends_ms or 0, state.c
  if c then
    flat.B, flat.X = c.b .. ' ' .. c.c, c.x[1] .. ' ' .. c.x[2]
    for tab, stamp in pairs(c.r) do
      flat['r:' .. tab] = stamp
    end
    for tab, of_tab in pairs(c.t) do
      -- That it is known, whatever it holds.
      flat['f:' .. tab .. ':'] = c.b .. ' -'
      for path, part in pairs(of_tab.f) do
        flat['f:' .. tab .. ':' .. path] = part[1] .. ' ' .. (part[2] == '-' and '-' or digest(string.sub(part[2], 2)))
      end
    end
    ends = math.max(ends, tonumber(c.x[2]) + MARGIN)
  end
  local is_new = write_beside(beside, raw, flat)
  if is_new and ends > now then
    redis.call('PEXPIRE', beside, text(ends - now))
    enter(head .. 'xy', text(ends), name, text(ends - now), now % 4 == 0 and text(now))
  end
  return is_new
end
