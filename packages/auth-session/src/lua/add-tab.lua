-- Add a tab to a living root, whose oldest tab makes room when it is full, and start the root's life again.
--
-- KEYS[1] root        hash: see get-or-create-root
-- KEYS[2] realm       zset: ids of the realm's roots, scored by expiry
-- ARGV[1] now         ms since the epoch
-- ARGV[2] lifespanMs  from updated to expiry
-- ARGV[3] graceMs     how much longer the key lives
-- ARGV[4] id          of the root
-- ARGV[5] maxTabs     most tabs a root can have
-- ARGV[6] tab         id of the new tab
-- ARGV[7] client      id of its client
-- ARGV[8] data        JSON of what can change in it
--
-- Returns {id of the evicted tab or '', created, updated, expires} of the root; nothing when there is no root.

local now = tonumber(ARGV[1])
local held = redis.call('HMGET', KEYS[1], '_v', 'x', 'c')
if held[1] ~= '1' or (tonumber(held[2]) or 0) <= now then return false end

-- Five fields of the root's own, two per tab. One tab goes even where the limit was lowered since.
local evicted = ''
if (redis.call('HLEN', KEYS[1]) - 5) / 2 >= tonumber(ARGV[5]) then
  local fields = {}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 2) == 't:' then fields[#fields + 1] = field end
  end
  local oldest, serial
  for i, field in ipairs(fields) do
    local c, s = string.match(redis.call('HGET', KEYS[1], field), '^(%d+) (%d+) ')
    c, s = tonumber(c) or 0, tonumber(s) or 0
    if i == 1 or c < oldest or (c == oldest and s < serial) then
      oldest, serial, evicted = c, s, string.sub(fields[i], 3)
    end
  end
  redis.call('HDEL', KEYS[1], 't:' .. evicted, 'd:' .. evicted)
end

local expires = string.format('%.0f', now + tonumber(ARGV[2]))
-- include: enter
local ttl = tonumber(ARGV[2]) + tonumber(ARGV[3])
local serial = redis.call('HINCRBY', KEYS[1], 's', 1)
redis.call('HSET', KEYS[1], 'u', ARGV[1], 'x', expires,
  't:' .. ARGV[6], ARGV[1] .. ' ' .. string.format('%.0f', serial) .. ' 0 ' .. ARGV[7],
  'd:' .. ARGV[6], ARGV[8])
redis.call('PEXPIRE', KEYS[1], ttl)
enter(KEYS[2], expires, ARGV[4], ttl, now)
--@ changed('auth-session', KEYS[1], 'full')
return {evicted, held[3] or '', ARGV[1], expires}
