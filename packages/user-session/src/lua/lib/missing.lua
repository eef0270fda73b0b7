-- include: links
-- Whether an index that Redis has evicted lacks a session that is in use. Looked at once in a second of its use, and in ten
-- for what holds many.
local function missing(key, client, now, refreshed)
  local user, broker_session, broker_user = links(key)
  if not user then
    return false
  end
  local head, kind, _, realm, id = parts(key)
  local base = head .. kind
  local function lacks(letter, name)
    return not redis.call('ZSCORE', base .. letter .. ':' .. realm .. name, id)
  end
  if lacks('u', ':' .. user) or (client ~= '' and (lacks('c', ':' .. client) or not redis.call('ZSCORE', base .. 'k:' .. realm, client))) then
    return true
  end
  if math.floor(now / 10000) == math.floor(refreshed / 10000) then
    return false
  end
  return lacks('r', '') or (broker_session ~= '' and lacks('i', ':' .. broker_session)) or (broker_user ~= '' and lacks('b', ':' .. broker_user))
end
