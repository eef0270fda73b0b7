-- Keeps the refresh tokens of some clients from ever being accepted again.
local function end_families(key, clients, now)
  local ends = {}
  for _, client in ipairs(clients) do
    ends[client] = true
  end
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if ends[string.match(field, '^f:([^:]*):')] then
      local uses, stale = string.match(redis.call('HGET', key, field), '^(%d+):(%d+):')
      if uses ~= '0' then
        redis.call('HSET', key, field, '0:' .. string.format('%.0f', math.max(tonumber(now), tonumber(stale) or 0)) .. ':::')
      end
    end
  end
end

--@details -- Why something ends, as who asked for details is told.
--@details local reason = 'removed'
--@details -- What is gone with client sessions of a session, as JSON: user, reason, time, {client, node, session there} of each.
--@details local function gone_with(key, user, clients)
--@details   local gone = { user, reason, ARGV[1] }
--@details   for _, client in ipairs(clients) do
--@details     local c = client_session(redis.call('HGET', key, 'c:' .. client))
--@details     local readable, data = pcall(cjson.decode, c and data_of(key, c) or '{}')
--@details     data = readable and data or {}
--@details     gone[#gone + 1] = { client, data.h or '', data.y or '' }
--@details   end
--@details   return cjson.encode(gone)
--@details end

-- Takes client sessions away. Answers how many there were: an index can name some whose session Redis has evicted.
local function end_clients(key, clients, now)
  local head, kind, _, realm, id = parts(key)
  local ended = 0
  for _, client in ipairs(clients) do
    ended = ended + math.min(redis.call('HDEL', key, 'c:' .. client, 'a:' .. client), 1)
    redis.call('ZREM', head .. kind .. 'c:' .. realm .. ':' .. client, id)
  end
  end_families(key, clients, now)
  return ended
end

-- What has to be known of a session to take it away: id, links and clients, escaped, and its times as they are.
-- Answers its data as well.
local function entry_from(key, id, times_text, data)
  return { id, links_behind(times_text, data), clients_of(key), times_text or '' }, data or ''
end

local function entry_of(key, id)
  local held = redis.call('HMGET', key, 't', 'd')
  return entry_from(key, id, held[1], held[2])
end

-- Takes members out of an index, however many there are.
local function leave(index, members)
  for i = 1, #members, 1000 do
    redis.call('ZREM', index, unpack(members, i, math.min(i + 999, #members)))
  end
end

-- include: unlink
-- Takes sessions of one realm and their index entries away, each index in one go. Answers what there is to tell of each:
-- {id, user, {client...}}.
local function drop_all(base, realm, entries)
  if #entries == 0 then
    return {}
  end
  local ended, ids, keys, of_client = {}, {}, {}, {}
  --@ local gone = {}
  for i, entry in ipairs(entries) do
    local id, clients = entry[1], entry[3]
    local user, broker_session, broker_user = string.match(entry[2], '^([^:]*):([^:]*):([^:]*)$')
    for _, client in ipairs(clients) do
      of_client[client] = of_client[client] or {}
      table.insert(of_client[client], id)
    end
    if user then
      unlink(base, realm, id, user, broker_session, broker_user)
    end
    ids[i] = id
    keys[i] = base .. 's:' .. realm .. ':' .. id
    ended[i] = { id, user or '', clients }
    --@details gone[i] = gone_with(keys[i], user or '', clients)
  end
  for client, members in pairs(of_client) do
    leave(base .. 'c:' .. realm .. ':' .. client, members)
  end
  leave(base .. 'r:' .. realm, ids)
  for i = 1, #keys, 1000 do
    redis.call('UNLINK', unpack(keys, i, math.min(i + 999, #keys)))
  end
  --@ for i = 1, #keys do changed('user-session', keys[i], 'removal', gone[i]) end
  return ended
end

-- Takes one session away. Answers what there is to tell, with its data behind it when listeners ask for notes.
local function drop(key, tell)
  local head, kind, _, realm, id = parts(key)
  local entry, data = entry_of(key, id)
  local ended = drop_all(head .. kind, realm, { entry })[1]
  ended[4] = tell == 'notes' and data or nil
  return ended
end
