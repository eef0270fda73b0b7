-- include: links
-- The times of a living session, of whatever version: times are the same in all.
local function living(key, now)
  local t = times(redis.call('HGET', key, 't'))
  return t and t.expires > now and t or nil
end

-- The times of a living client session.
local function living_client(key, client, now)
  local c = client_session(redis.call('HGET', key, 'c:' .. client))
  return c and c.expires > now and c or nil
end

-- What a client session holds, as JSON.
local function data_of(key, c)
  return c.data or string.match(redis.call('HGET', key, 'a:' .. c.client) or '', '^a [^{]*({.*)$')
end

-- Client ids of a session, escaped, also of client sessions that are over.
local function clients_of(key)
  local clients = {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 2) == 'c:' then
      clients[#clients + 1] = string.sub(field, 3)
    end
  end
  return clients
end

-- What the sessions of an index are called, up to their id.
local function sessions_of(index)
  local head, kind, _, realm = parts(index)
  return head .. kind .. 's:' .. realm .. ':'
end

-- Whether an index entry stands for something alive. One scored in the future does; the record decides on others.
local function stands(key, score, client, now)
  if tonumber(score) > now then
    return true
  end
  return living(key, now) and (client == '' or living_client(key, client, now)) and true
end

-- include: rank-behind
-- Rank of the first entry of an index behind a place that can still be alive.
local function behind(index, score, member, now)
  if tonumber(score) <= now - SLACK then
    return redis.call('ZCOUNT', index, '-inf', now - SLACK)
  end
  return rank_behind(index, score, member)
end
