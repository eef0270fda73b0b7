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

-- Takes sessions of one realm and their index entries away, each index in one go. Answers what there is to tell of each:
-- {id, user, {client...}}.
local function drop_all(base, realm, ids)
  if #ids == 0 then
    return {}
  end
  local ended, keys, of_client = {}, {}, {}
  for i, id in ipairs(ids) do
    local key = base .. 's:' .. realm .. ':' .. id
    local user, broker_session, broker_user = links(key)
    local clients = clients_of(key)
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
    keys[i] = key
    ended[i] = { id, user or '', clients }
  end
  for _, entries in pairs(of_client) do
    redis.call('ZREM', unpack(entries))
  end
  redis.call('ZREM', base .. 'r:' .. realm, unpack(ids))
  redis.call('UNLINK', unpack(keys))
  return ended
end

-- Takes one session away.
local function drop(key)
  local head, kind, _, realm, id = parts(key)
  return drop_all(head .. kind, realm, { id })[1]
end
