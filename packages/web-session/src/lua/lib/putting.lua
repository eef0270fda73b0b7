-- include: lag, slot, standings, listing, sharing
-- Generations that are refused still; of more than eight those for which that ends first are forgotten, as at one site.
local function marks_of(m, now)
  local marks = {}
  for generation, ends in pairs(m or {}) do
    if tonumber(ends) > now then
      marks[#marks + 1] = { tonumber(ends), generation }
    end
  end
  table.sort(marks, function(a, b)
    if a[1] ~= b[1] then
      return a[1] < b[1]
    end
    return a[2] ~= b[2] and follows(b[2], a[2])
  end)
  while #marks > 8 do
    table.remove(marks, 1)
  end
  return marks
end

-- Lengths and JSON of data, as they are stored: names that were there first, in their order.
local function data_of(f, before, is_first)
  local names, sizes, parts, is_named = {}, {}, {}, {}
  if before then
    each_name(before, function(name)
      names[#names + 1] = name
      is_named[name] = true
    end)
  end
  local others = {}
  for name in pairs(f) do
    if not is_named[name] then
      others[#others + 1] = name
    end
  end
  table.sort(others, function(a, b) return a ~= b and follows(b, a) end)
  for _, name in ipairs(others) do
    names[#names + 1] = name
  end
  for _, name in ipairs(names) do
    local value = f[name] and f[name][2] or '-'
    if value ~= '-' then
      sizes[#sizes + 1] = #name .. ',' .. #value - 1
      parts[#parts + 1] = name .. ':' .. string.sub(value, 2)
    end
  end
  local json = '{' .. table.concat(parts, ',') .. '}'
  return (is_first or #json > 1024) and table.concat(sizes, ',') or '', json
end

-- Writes what sites agree on into the session and its indexes. Answers whether all of it was there already, and the session.
local function put_session(key, member, before, ended, state, now, layout)
  local head, name = name_in(key)
  local realm = string.match(name, '^wo:([^:]*):')
  local marks, c = marks_of(state.m, now), state.c
  local is_marked = text_of(marks) == ended
  if not c then
    if not before and is_marked then
      return true
    end
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('PERSIST', key)
    if before then
      leave(head, realm, before, member)
    end
    if #marks > 0 then
      bury(key, marks, now, GRACE)
    else
      redis.call('UNLINK', key)
    end
    return false
  end

  local version = 0
  for _, count in pairs(c.n) do
    version = version + tonumber(count)
  end
  -- Layout 1 has the first format.
  local is_old = layout == '1'
  local lengths, data = data_of(c.f, before, is_old)
  local s = {
    is_old = is_old,
    ends = in_base_36(c.x[2]),
    expires = tonumber(c.x[2]),
    saved = c.s[2],
    version = text(version),
    created = c.t,
    since = (c.u[2] == '' or c.u[3] == c.t) and '' or c.u[3],
    generation = c.g,
    user = c.u[2],
    alias = c.a[2],
    labels = c.l[2],
    rest = c.g .. ':' .. c.u[2] .. ':' .. c.a[2] .. ':' .. c.l[2] .. ':' .. lengths .. ':' .. data,
  }
  local stays = before and before.is_old == is_old and before.user == s.user and before.labels == s.labels
    and before.expires > now and (is_old and before.score == s.expires or not is_old and stands_for(before.score, s.expires))
  s.score = stays and before.score or s.expires + (is_old and 0 or LAG)
  local is_same = stays and is_marked
  for _, part in ipairs({ 'ends', 'saved', 'version', 'created', 'since', 'rest' }) do
    is_same = is_same and before[part] == s[part]
  end
  if is_same then
    return true, s
  end
  -- First the record, so that a full server refuses what may grow before anything has changed.
  write(key, s, marks, now, GRACE)
  if not stays then
    if before then
      leave(head, realm, before, member, s)
    end
    list(head, realm, s, member, now, GRACE)
  end
  return false, s
end

-- Ends a session because all of its user were ended before it was known here: as if another had taken its place when it began, so that
-- every site says the same.
local function fenced_state(state)
  return { d = later(state.d, state.c.b), m = state.m }
end

-- When the sign-in of a session began, as a mark of a removal compares it.
local function beginning_of(c)
  return tonumber(c.u[3], 36) * 1000
end
