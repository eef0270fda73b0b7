-- Take away sessions that were told of as expired, and find the next that are.
--
-- KEYS[1] due      zset: u or o and a realm, escaped, scored by when the first of its sessions may be over
-- KEYS[2] lease    string: who sweeps this partition and until when
-- ARGV[1] now      ms since the epoch
-- ARGV[2] owner    who asks
-- ARGV[3] leaseMs  how long nobody else may
-- ARGV[4] told     JSON: a list of what was found before
-- ARGV[5] limit    sessions to take away, and to find
--
-- Returns {'busy'} when another sweeps, else {'swept', how many were taken away, 1 when there is more to do, {id, links,
-- {client...}, u or o and the realm}...}; with nothing to do the lease is given back.

-- include: lag, times, keys, reading, ending
local now = tonumber(ARGV[1])
local owner, till = string.match(redis.call('GET', KEYS[2]) or '', '^(.*) (%d+)$')
if owner and owner ~= ARGV[2] and tonumber(till) > now then
  return { 'busy' }
end
redis.call('SET', KEYS[2], ARGV[2] .. ' ' .. string.format('%.0f', now + tonumber(ARGV[3])), 'PX', ARGV[3])

local head = string.match(KEYS[1], '^(.*{%x%x}:)')
local answer = { 'swept', 0, 1 }

local told = {}
for _, one in ipairs(cjson.decode(ARGV[4])) do
  local place = one[4]
  local kind, realm = string.match(place, '^([uo]):(.*)$')
  if not living(head .. kind .. 's:' .. realm .. ':' .. one[1], now) then
    told[place] = told[place] or {}
    table.insert(told[place], one)
    answer[2] = answer[2] + 1
  end
end
for place, ends in pairs(told) do
  local kind, realm = string.match(place, '^([uo]):(.*)$')
  drop_all(head .. kind, realm, ends)
end

local limit = tonumber(ARGV[5])
for _, place in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 10)) do
  local kind, realm = string.match(place, '^([uo]):(.*)$')
  local index = head .. kind .. 'r:' .. realm
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', ARGV[1], 'LIMIT', 0, limit)) do
    local key = head .. kind .. 's:' .. realm .. ':' .. id
    local t = living(key, now)
    if t then
      redis.call('ZADD', index, t.expires, id)
    else
      local entry = entry_of(key, id)
      entry[4] = place
      answer[#answer + 1] = entry
    end
  end
  if #answer > 3 then
    return answer
  end
  local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2]
  if first then
    redis.call('ZADD', KEYS[1], first, place)
  else
    redis.call('ZREM', KEYS[1], place)
  end
end
if redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[1]) == 0 then
  answer[3] = 0
  redis.call('DEL', KEYS[2])
end
return answer
