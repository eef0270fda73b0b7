-- Take everything of a realm out, in steps.
--
-- Nodes, deliveries and lanes lie in the same slot and are spelt here.
--
-- KEYS[1] clients     zset: clients of the realm that have nodes, scored by when the last of them ends
-- KEYS[2] deliveries  zset: deliveries of the realm, scored by when they are forgotten
-- KEYS[3] open        zset: messages of the realm under way, scored by when they die
-- KEYS[4] dead        zset: dead letters of the realm, scored by when they are forgotten
-- KEYS[5] notBefore   hash: the largest not-before by client and host
-- KEYS[6] due         zset: lanes, scored by when they are due
-- ARGV[1] now         ms since the epoch
-- ARGV[2] keepMs      how long Redis keeps a lane
--
-- Returns {removed, more}: how many nodes had not ended, and 1 when there is more to do.

-- include: lane
local head, realm = string.match(KEYS[1], '^(.*{%x%x}:)nc:([^:]*)$')
local removed = 0
local clients = redis.call('ZRANGE', KEYS[1], 0, 99)
for _, client in ipairs(clients) do
  local nodes = head .. 'nr:' .. realm .. ':' .. client
  for _, node in ipairs(redis.call('HVALS', nodes)) do
    if tonumber(string.match(node, '^%S+ %d+ %d+ (%S+)') or 0) > tonumber(ARGV[1]) then
      removed = removed + 1
    end
  end
  redis.call('DEL', nodes)
  redis.call('ZREM', KEYS[1], client)
end
local members = redis.call('ZRANGE', KEYS[3], 0, 99)
for _, member in ipairs(members) do
  local delivery = head .. 'nd:' .. realm .. ':' .. string.sub(member, 1, 21)
  local target = redis.call('HGET', delivery, 't:' .. string.sub(member, 22))
  if target then
    local tail = cjson.decode(target)[1]
    redis.call('ZREM', head .. 'nl:' .. tail, member)
    reschedule(head .. 'nl:' .. tail, KEYS[6], tail, ARGV[2])
  end
  redis.call('ZREM', KEYS[3], member)
end
local names = {}
if #members < 100 then
  names = redis.call('ZRANGE', KEYS[2], 0, 99)
  for _, name in ipairs(names) do
    redis.call('DEL', head .. 'nd:' .. realm .. ':' .. name)
    redis.call('ZREM', KEYS[2], name)
  end
  redis.call('DEL', KEYS[4], KEYS[5])
end
return { removed, (#clients == 100 or #members == 100 or #names == 100) and 1 or 0 }
