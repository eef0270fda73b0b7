-- Take away sessions that were told of as expired, and find the next that are.
--
-- KEYS[1] due      zset: u or o and a realm, escaped, scored by when the first of its sessions may be over
-- KEYS[2] lease    string: who sweeps this partition and until when
-- ARGV[1] now      ms since the epoch
-- ARGV[2] owner    who asks
-- ARGV[3] leaseMs  how long nobody else may
-- ARGV[4] told     what was found before, as it was answered, empty at first
-- ARGV[5] limit    sessions to find
-- ARGV[6] many     sessions to take away where nobody is told
-- ARGV[7] tell     1: what is found is told of first; notes: with its data, for listeners who ask for notes; 0: there is
--                  nobody to tell, it is taken away at once
--
-- Returns {'busy'} when another sweeps, else {'swept', how many were taken away, 1 when there is more to do, JSON of what
-- was found: {u or o and the realm, [[id, links, [client...], times]...]}, data...}; with nothing to do the lease is given back.

-- include: lag, times, keys, reading, ending
local now = tonumber(ARGV[1])
local owner, till = string.match(redis.call('GET', KEYS[2]) or '', '^(.*) (%d+)$')
local left = till and tonumber(till) - now or 0
if owner and owner ~= ARGV[2] and left > 0 then
  return { 'busy' }
end
-- A full server goes on with a script that began with a write that cannot grow.
redis.call('ZREM', KEYS[1], '')
if owner ~= ARGV[2] or left < tonumber(ARGV[3]) / 2 then
  redis.call('SET', KEYS[2], ARGV[2] .. ' ' .. string.format('%.0f', now + tonumber(ARGV[3])), 'PX', ARGV[3])
end

--@details reason = 'expired'
local head = string.match(KEYS[1], '^(.*{%x%x}:)')

-- Finds what is over in a realm, and puts right where the index says of living ones that they may be.
local function find(kind, realm)
  local index, sessions = head .. kind .. 'r:' .. realm, head .. kind .. 's:' .. realm .. ':'
  local found, all_data = {}, {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', ARGV[1], 'LIMIT', 0, ARGV[5])) do
    local entry, data = entry_of(sessions .. id, id)
    local expires = tonumber(string.match(entry[4], '^v%d+ %d+ %d+ (%d+) '))
    local t = expires and expires > now and times(entry[4])
    if t then
      redis.call('ZADD', index, t.expires, id)
    else
      found[#found + 1] = entry
      all_data[#all_data + 1] = data
    end
  end
  return found, index, all_data
end

-- Takes away sessions whose place in the index is too long ago for any of them to be alive. Nobody is told of them, so no more of a
-- record is looked at than whose it is. Entries of clients go a part at a time.
local function take_dead(kind, realm)
  local base = head .. kind
  local ids = redis.call('ZRANGEBYSCORE', base .. 'r:' .. realm, '-inf', now - SLACK, 'LIMIT', 0, ARGV[6])
  local keys = {}
  for i, id in ipairs(ids) do
    keys[i] = base .. 's:' .. realm .. ':' .. id
    local user, broker_session, broker_user = links(keys[i])
    if user then
      unlink(base, realm, id, user, broker_session, broker_user)
    end
  end
  if #ids > 0 then
    redis.call('UNLINK', unpack(keys)) -- at most 100
    redis.call('ZREM', base .. 'r:' .. realm, unpack(ids)) -- at most 100
  end
  return #ids
end

-- Takes dead entries out of the indexes of ten clients, from one of them on. Answers whether there is more to take out.
local function clean_clients(kind, realm, first)
  local clients, more = head .. kind .. 'k:' .. realm, false
  for _, client in ipairs(redis.call('ZRANGE', clients, first, first + 9)) do
    local of_client = head .. kind .. 'c:' .. realm .. ':' .. client
    local dead = redis.call('ZRANGEBYSCORE', of_client, '-inf', now - SLACK, 'LIMIT', 0, 100)
    if #dead > 0 then
      redis.call('ZREM', of_client, unpack(dead))
    end
    if #dead == 100 then
      more = true
    elseif redis.call('EXISTS', of_client) == 0 then
      redis.call('ZREM', clients, client)
      more = more or redis.call('ZCARD', clients) > 9
    end
  end
  return more
end
local may_take = ARGV[7] == '0'
--@ may_take = false

local dropped = 0
if ARGV[4] ~= '' then
  local found = cjson.decode(ARGV[4])
  local place, told = found[1], found[2]
  local kind, realm = string.match(place, '^([uo]):(.*)$')
  local sessions, over = head .. kind .. 's:' .. realm .. ':', {}
  for _, entry in ipairs(told) do
    local key = sessions .. entry[1]
    local held = redis.call('HGET', key, 't')
    -- Another node may have taken it away since. One that Redis let go is listed still.
    local is_there = held or redis.call('ZSCORE', head .. kind .. 'r:' .. realm, entry[1])
    -- With the times it was found with it is as over as it was then.
    if is_there and ((held or '') == entry[4] or not living(key, now)) then
      over[#over + 1] = entry
    end
  end
  drop_all(head .. kind, realm, over)
  dropped = #over
end

for _, place in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 10)) do
  local kind, realm = string.match(place, '^([uo]):(.*)$')
  local taken = may_take and take_dead(kind, realm) or 0
  if taken > 0 then
    return { 'swept', dropped + taken, 1 }
  end
  local found, index, all_data = find(kind, realm)
  if #found > 0 then
    if ARGV[7] ~= '0' then
      local answer = { 'swept', dropped, 1, cjson.encode({ place, found }) }
      for _, data in ipairs(ARGV[7] == 'notes' and all_data or {}) do
        answer[#answer + 1] = data
      end
      return answer
    end
    drop_all(head .. kind, realm, found)
    return { 'swept', dropped + #found, 1 }
  end
  local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2]
  if first then
    redis.call('ZADD', KEYS[1], first, place)
  elseif clean_clients(kind, realm, 0) then
    return { 'swept', dropped, 1 }
  else
    redis.call('ZREM', KEYS[1], place)
  end
end
if redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1]) == 0 then
  -- include: vanished
  for _, place in ipairs(redis.call('ZRANGE', KEYS[1], 0, 9)) do
    local kind, realm = string.match(place, '^([uo]):(.*)$')
    take_out_vanished(head .. kind .. 'r:' .. realm, now)
    local clients = head .. kind .. 'k:' .. realm
    local known = redis.call('ZCARD', clients)
    local client = known > 0 and redis.call('ZRANGE', clients, now % known, now % known)[1]
    if client then
      take_out_vanished(head .. kind .. 'c:' .. realm .. ':' .. client, now)
    end
    if clean_clients(kind, realm, known > 10 and now % (known - 9) or 0) then
      return { 'swept', dropped, 1 }
    end
  end
  redis.call('DEL', KEYS[2])
  return { 'swept', dropped, 0 }
end
return { 'swept', dropped, 1 }
