-- Read what nodes of this site said since another site was told last, and note how far it was told.
--
-- KEYS[1] events  stream: the work channel
-- KEYS[2] told    hash: had, the id of the last entry that was looked at; heard, of the last that the other site has;
--                 owed: away or lost, and its number; owes, how often that was
-- ARGV[1] had     id of an entry that was looked at now; empty: nothing new
-- ARGV[2] heard   id of the last thing that the other site has now; empty: nothing new
-- ARGV[3] owed    away: it was away; lost: it misses something; told: it was told so; empty: as it was
-- ARGV[4] limit   how many entries to answer
--
-- Returns {had, heard, owed, id, sender, text, ...}. What is not there any more is owed: lost.

local events, told = KEYS[1], KEYS[2]
if ARGV[1] ~= '' then
  redis.call('HSET', told, 'had', ARGV[1])
end
if ARGV[2] ~= '' then
  redis.call('HSET', told, 'heard', ARGV[2])
end
local known = redis.call('HMGET', told, 'had', 'heard', 'owed')
local had, heard, owed = known[1], known[2] or '', known[3] or ''
local function owe(what)
  if string.sub(owed, 1, 4) ~= 'lost' and string.sub(owed, 1, 4) ~= what then
    owed = what .. '.' .. string.format('%.0f', redis.call('HINCRBY', told, 'owes', 1))
    redis.call('HSET', told, 'owed', owed)
  end
end
if ARGV[3] == 'told' then
  redis.call('HDEL', told, 'owed')
  owed = ''
elseif ARGV[3] ~= '' then
  owe(ARGV[3])
end
local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
last = last and last[1] or '0-0'
if not had then
  had = last
  redis.call('HSET', told, 'had', had)
  owe('away')
elseif had ~= last and had ~= '0-0' and #redis.call('XRANGE', events, had, had) == 0 then
  -- An entry that is gone took others with it: the channel is trimmed from its beginning, and its end may be lost.
  owe('lost')
  local ms, n = string.match(had, '^(%d+)-(%d+)$')
  local last_ms, last_n = string.match(last, '^(%d+)-(%d+)$')
  if tonumber(last_ms) < tonumber(ms) or (last_ms == ms and tonumber(last_n) < tonumber(n)) then
    had = last
    redis.call('HSET', told, 'had', had)
  end
end
local answer = { had, heard, owed }
if ARGV[4] ~= '0' and had ~= last then
  for _, entry in ipairs(redis.call('XRANGE', events, had, '+', 'COUNT', ARGV[4] + 1)) do
    if entry[1] ~= had then
      local fields = {}
      for i = 1, #entry[2], 2 do
        fields[entry[2][i]] = entry[2][i + 1]
      end
      answer[#answer + 1] = entry[1]
      answer[#answer + 1] = fields.s or ''
      answer[#answer + 1] = fields.e or ''
    end
  end
end
return answer
