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

-- Writes what sites agree on into the record and its indexes; layout: of a record that is new. Answers whether all of it was there
-- already.
local function put(key, values, state, now, layout)
  local head, kind, _, realm, id = parts(key)
  local base, expires = head .. kind, tonumber(state.x)
  local started, remember, beginning, own_links, login, address, method = unpack(cjson.decode(state.g[2])) -- at most 7
  local user, broker_session, broker_user = string.match(own_links, '^([^:]*):([^:]*):([^:]*)$')
  local t = {
    started = tonumber(started), refreshed = tonumber(state.r), expires = expires,
    score = values and values.t.score or 0, remember = remember == 'r', version = values and values.t.version or layout,
  }
  local is_split = t.version == '2'
  t.links = is_split and own_links or nil
  if values and values.links ~= own_links then
    local _, old_session, old_user = string.match(values.links, '^([^:]*):([^:]*):([^:]*)$')
    unlink(base, realm, id, user, old_session or '', old_user or '')
    t.score = 0
  end

  local fields = {}
  local function set(field, value)
    fields[#fields + 1], fields[#fields + 2] = field, value
  end

  if not values or values.g ~= state.g[2] or not holds(state.n, values.n) then
    local data = { l = login or nil, i = address or nil, m = method or nil, n = notes_in(state.n) }
    data.s = state.n.s and state.n.s[2] ~= '-' and rank_of_state(state.n.s[2]) or nil
    set('d', cjson.encode(data) .. (is_split and '' or own_links))
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
    redis.call('HDEL', key, 'c:' .. client, 'a:' .. client)
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
      local follows_now = score > ends or (ends > now and (score == 0 or astray(ends, score, math.max(c[4] - c[3], 0))))
      if follows_now then
        index_client(base, realm, id, client, text(ends), score, now)
        score = ends
      end
      local is_other = not held or not holds(c[5], held.n)
      if follows_now or is_other or held.started ~= c[2] or held.r ~= c[3] or held.x ~= c[4] then
        local p, u, a, h, y = unpack(cjson.decode(c[5].d and c[5].d[2] or '[]')) -- at most 5
        local data = { p = p or nil, u = u or nil, a = a or nil, h = h or nil, y = y or nil, n = notes_in(c[5]) }
        local json = next(data) ~= nil and cjson.encode(data) or '{}'
        if is_split and is_other then
          set('a:' .. client, about_client(client, json))
        end
        set('c:' .. client, client_text({
          started = tonumber(c[2]), refreshed = tonumber(c[3]), expires = tonumber(c[4]), score = score, client = client,
          data = not is_split and json or nil,
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
        redis.call('HDEL', key, field)
      else
        set(field, part[2])
      end
    end
  end
  for field in pairs(values and values.f or {}) do
    if not state.f[field] then
      redis.call('HDEL', key, field)
    end
  end

  local is_same = #fields == 0 and values and values.r == state.r and values.x == state.x
  if not is_same then
    -- A client session may end on its own now: what follows looks.
    t.own = false
    set('t', text_of(t))
  end
  for i = 1, #fields, 1000 do
    redis.call('HSET', key, unpack(fields, i, math.min(i + 999, #fields)))
  end
  expire(key, expires, now)
  return is_same
end
