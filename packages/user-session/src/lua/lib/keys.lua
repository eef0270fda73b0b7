-- What a key says: all up to its partition, u for online or o for offline, the letter of its kind, the realm, the rest.
local function parts(key)
  return string.match(key, '^(.*{%x%x}:)([uo])(%a):([^:]*):?(.*)$')
end
