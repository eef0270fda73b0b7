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

-- Takes a session and its index entries away. Answers what there is to tell: {id, user, {client...}}.
local function drop(key)
  local head, kind, _, realm, id = parts(key)
  local base = head .. kind
  local user, broker_session, broker_user = links(key)
  local clients = clients_of(key)
  for _, client in ipairs(clients) do
    redis.call('ZREM', base .. 'c:' .. realm .. ':' .. client, id)
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
  redis.call('ZREM', base .. 'r:' .. realm, id)
  redis.call('UNLINK', key)
  return { id, user or '', clients }
end
