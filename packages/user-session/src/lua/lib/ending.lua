-- Keeps the refresh tokens of a client from ever being accepted again.
local function end_families(key, client, now)
  local start = 'f:' .. client .. ':'
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, #start) == start then
      redis.call('HSET', key, field, '0:' .. now .. ':::')
    end
  end
end

-- Takes a client session away.
local function end_client(key, client, now)
  local head, kind, _, realm, id = parts(key)
  redis.call('HDEL', key, 'c:' .. client)
  redis.call('ZREM', head .. kind .. 'c:' .. realm .. ':' .. client, id)
  end_families(key, client, now)
end

-- What has to be known of a session to take it away: id, links and clients, escaped, and its times as they are.
local function entry_of(key, id)
  local text, data = unpack(redis.call('HMGET', key, 't', 'd'))
  return { id, string.match(data or '', '^.*}(.*)$') or '', clients_of(key), text or '' }
end

-- Takes sessions of one realm and their index entries away, each index in one go. Answers what there is to tell of each:
-- {id, user, {client...}}.
local function drop_all(base, realm, entries)
  if #entries == 0 then
    return {}
  end
  local ended, ids, keys, of_client = {}, {}, {}, {}
  for i, entry in ipairs(entries) do
    local id, clients = entry[1], entry[3]
    local user, broker_session, broker_user = string.match(entry[2], '^([^:]*):([^:]*):([^:]*)$')
    for _, client in ipairs(clients) do
      of_client[client] = of_client[client] or { base .. 'c:' .. realm .. ':' .. client }
      table.insert(of_client[client], id)
    end
    if user then
      redis.call('ZREM', base .. 'u:' .. realm .. ':' .. user, id)
      if broker_session ~= '' then
        redis.call('ZREM', base .. 'i:' .. realm .. ':' .. broker_session, id)
      end
      if broker_user ~= '' then
        redis.call('ZREM', base .. 'b:' .. realm .. ':' .. broker_user, id)
      end
    end
    ids[i] = id
    keys[i] = base .. 's:' .. realm .. ':' .. id
    ended[i] = { id, user or '', clients }
  end
  for _, members in pairs(of_client) do
    redis.call('ZREM', unpack(members))
  end
  redis.call('ZREM', base .. 'r:' .. realm, unpack(ids))
  redis.call('UNLINK', unpack(keys))
  return ended
end

-- Takes one session away.
local function drop(key)
  local head, kind, _, realm, id = parts(key)
  return drop_all(head .. kind, realm, { entry_of(key, id) })[1]
end
