-- What a key says: all up to its partition, u for online or o for offline, the letter of its kind, the realm, the rest.
local function parts(key)
  return string.match(key, '^(.*{%x%x}:)([uo])(%a):([^:]*):?(.*)$')
end

-- User, broker session and broker user behind the JSON of a session, escaped, empty for none. Most are short, and found
-- without a walk through the JSON.
local function links_in(data)
  local user, broker_session, broker_user = string.match(data or '', '}([^:}]*):([^:}]*):([^:}]*)$', -64)
  if user then
    return user, broker_session, broker_user
  end
  return string.match(data or '', '^.*}([^:]*):([^:]*):([^:]*)$')
end
