-- include: shared, unlink, beside

-- Takes a session away, and tells nobody of it.
local function take_out(key)
  local head, kind, _, realm, id = parts(key)
  local base, clients = head .. kind, clients_of(key)
  local user, broker_session, broker_user = links(key)
  redis.call('UNLINK', key)
  if user then
    unlink(base, realm, id, user, broker_session, broker_user)
  end
  for _, client in ipairs(clients) do
    redis.call('ZREM', base .. 'c:' .. realm .. ':' .. client, id)
  end
  redis.call('ZREM', base .. 'r:' .. realm, id)
end

-- What other sites have to be told of again, when everything is: removals, which have no record.
local function remember_end(head, name, now, ms)
  local ends = head .. 'xt'
  redis.call('ZADD', ends, text(now + ms), name)
  local dead = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 10)
  if #dead > 0 then
    redis.call('ZREM', ends, unpack(dead))
  end
  if redis.call('PTTL', ends) < ms then
    redis.call('PEXPIRE', ends, text(ms + GRACE))
  end
end

-- Writes the stamps beside a record, as far as they changed.
local function write_stamps(key, raw, state, now, ends_ms)
  local head, name = name_in(key)
  local beside, flat = head .. 'xs:' .. name, { D = state.d }
  if state.g then
    flat.G, flat.x, flat.K = state.g[1] .. ' ' .. token(state.g[2]), state.x .. ' ' .. state.r, state.k
    for field, part in pairs(state.n) do
      flat[field] = part[1] .. ' ' .. token(part[2])
    end
    for client, c in pairs(state.c) do
      flat['c:' .. client] = c[1] .. ' ' .. token(c[2])
      for field, part in pairs(c[5] or {}) do
        flat['p:' .. client .. ':' .. field] = part[1] .. ' ' .. token(part[2])
      end
    end
    for field, part in pairs(state.f) do
      flat[field] = part[1] .. ' ' .. token(part[2])
    end
    for field, uses in pairs(state.u or {}) do
      flat['u' .. string.sub(field, 2)] = 'u ' .. cjson.encode(uses)
    end
  end
  local is_new = write_beside(beside, raw, flat)
  if is_new then
    redis.call('PEXPIRE', beside, text(state.g and math.max(tonumber(state.x) - now, 0) + DAY or ends_ms))
    if not state.g then
      remember_end(head, name, now, ends_ms)
    end
  end
  return is_new
end
