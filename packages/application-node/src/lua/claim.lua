-- Take messages that are due, one of each lane, for a while; end those in passing that are not to be sent.
--
-- The deliveries, lanes and lists of all realms of the partition lie in the same slot and are spelt here.
--
-- KEYS[1] due           zset: lanes, scored by when they are due
-- ARGV[1] now           ms since the epoch
-- ARGV[2] leaseUntil    until then nobody else takes them, ms since the epoch
-- ARGV[3] owner         who takes them
-- ARGV[4] limit         messages at most
-- ARGV[5] maxPerClient  messages of one client at most, with those that the owner sends now
-- ARGV[6] sending       what the owner sends now, as JSON: lanes
-- ARGV[7] mostLanes     lanes to look at
-- ARGV[8] maxLifeMs     how long a message is sent at most
-- ARGV[9] keepMs        how long a delivery is kept once it is over
-- ARGV[10] deadKeepMs   how long a dead letter is kept
-- ARGV[11] maxDead      dead letters of a realm at most
--
-- Returns {lane, delivery, message, announcement, createdAt, target, state...}, with a final state for those that ended.

-- include: message, lane, finish
local now, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[9])
local head = string.sub(KEYS[1], 1, -3)
local ms = string.format('%.0f', tonumber(ARGV[8]) + keep_ms + GRACE)
local hosts, clients = {}, {}
local function is_sending(tail)
  local client, host = string.match(tail, '^([^:]*:[^:]*):([^:]*)$')
  hosts[host] = true
  clients[client] = (clients[client] or 0) + 1
end
for _, tail in ipairs(cjson.decode(ARGV[6])) do
  is_sending(tail)
end
local answer, taken = {}, 0
for _, tail in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[7])) do
  if taken >= tonumber(ARGV[4]) then
    break
  end
  local client, host = string.match(tail, '^([^:]*:[^:]*):([^:]*)$')
  if not hosts[host] and (clients[client] or 0) < tonumber(ARGV[5]) then
    local realm = string.match(tail, '^[^:]*')
    local lane = head .. 'nl:' .. tail
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', lane, '-inf', ARGV[1], 'LIMIT', 0, 10)) do
      local name, id = string.sub(member, 1, 21), string.sub(member, 22)
      local delivery = head .. 'nd:' .. realm .. ':' .. name
      local held = member ~= '!' and redis.call('HMGET', delivery, 'e', 'c', 't:' .. id, 's:' .. id, 'n')
      local s = held and read_state(held[4])
      if member == '!' then
        redis.call('ZREM', lane, member)
      elseif not s or not s.open then
        redis.call('ZREM', lane, member)
        redis.call('ZREM', head .. 'no:' .. realm, member)
      else
        local late = outdated(head, realm, tail, held[5])
        if late or s.dies <= now then
          s.state, s.reason = late and 'superseded' or 'dead', late and 'newer-value' or 'expired'
          redis.call('ZREM', lane, member)
          finish(head, realm, delivery, member, s, now, keep_ms, tonumber(ARGV[10]), tonumber(ARGV[11]))
        else
          s.attempts, s.at, s.owner = s.attempts + 1, tonumber(ARGV[2]), ARGV[3]
          redis.call('HSET', delivery, 's:' .. id, state_text(s))
          redis.call('ZADD', lane, ARGV[2], member, ARGV[2], '!')
          is_sending(tail)
          taken = taken + 1
        end
        for _, value in ipairs({ tail, name, id, held[1], held[2], held[3], state_text(s) }) do
          answer[#answer + 1] = value
        end
        if s.owner ~= '-' then
          break
        end
      end
    end
    reschedule(lane, KEYS[1], tail, ms)
  end
end
return answer
