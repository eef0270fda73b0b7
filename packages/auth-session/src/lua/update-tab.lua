-- Merge a patch into a tab of a living root, whose expiry follows the realm's lifespan of today.
--
-- KEYS[1] root        hash: see get-or-create-root
-- KEYS[2] realm       zset: ids of the realm's roots, scored by expiry
-- ARGV[1] now         ms since the epoch
-- ARGV[2] lifespanMs  from updated to expiry
-- ARGV[3] graceMs     how much longer the key lives
-- ARGV[4] id          of the root
-- ARGV[5] tab         id of the tab
-- ARGV[6] patch       JSON; null removes a field, or a name of a map
-- ARGV[7] renew       1: the root's life starts again
-- ARGV[8] maxBytes    most bytes of names and values in the maps
--
-- Returns {head, data} of the tab; the bytes its maps would have when they are too many; 'removed' when the root had no
-- life left; nothing when the tab is gone.

local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], '_v', 'x', 'u', 't:' .. ARGV[5], 'd:' .. ARGV[5])
if held[1] ~= '1' or (tonumber(held[2]) or 0) <= now or not held[4] or not held[5] then return false end
local readable, data = pcall(cjson.decode, held[5])
if not readable or string.sub(held[5], 1, 1) ~= '{' then return false end

local updated = ARGV[7] == '1' and ARGV[1] or held[3]
local expires = string.format('%.0f', tonumber(updated) + tonumber(ARGV[2]))
if tonumber(expires) <= now then
  redis.call('UNLINK', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[4])
  --@ changed('auth-session', KEYS[1], 'removal')
  return 'removed'
end

local maps = {executionStatus = true, clientNotes = true, authNotes = true, userSessionNotes = true}
for field, value in pairs(cjson.decode(ARGV[6])) do
  if value == cjson.null then
    data[field] = nil
  elseif maps[field] then
    local map = type(data[field]) == 'table' and data[field] or {}
    for name, text in pairs(value) do
      if text == cjson.null then map[name] = nil else map[name] = text end
    end
    data[field] = next(map) and map or nil
  else
    data[field] = value
  end
end

local bytes = 0
for field in pairs(maps) do
  for name, text in pairs(type(data[field]) == 'table' and data[field] or {}) do bytes = bytes + #name + #text end
end
if bytes > tonumber(ARGV[8]) then return bytes end

local encoded = cjson.encode(data)
redis.call('HSET', KEYS[1], 'd:' .. ARGV[5], encoded)
if expires ~= held[2] then
  -- include: enter
  local ttl = string.format('%.0f', tonumber(expires) - now + tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], 'u', updated, 'x', expires)
  redis.call('PEXPIRE', KEYS[1], ttl)
  enter(KEYS[2], expires, ARGV[4], ttl, now)
end
--@ changed('auth-session', KEYS[1], 'full')
return {held[4], encoded}
