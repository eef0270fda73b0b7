-- Store a node of a client, unless it has as many as it may have.
--
-- KEYS[1] nodes      hash: by host source, registeredAt, lastSeenAt, expiresAt or inf, version; by spaces
-- KEYS[2] clients    zset: clients of the realm that have nodes, scored by when the last of them ends
-- ARGV[1] now        ms since the epoch
-- ARGV[2] host
-- ARGV[3] source     registered or manual
-- ARGV[4] expiresAt  ms since the epoch; inf for one that stays
-- ARGV[5] version    what the node said, with a sign before it; may be empty
-- ARGV[6] maxNodes   of the client
-- ARGV[7] client     as the index calls it
--
-- Returns nil where there are too many, else {1 when it was there, node}.

-- include: grace, prune
local now = tonumber(ARGV[1])
local nodes = redis.call('HGETALL', KEYS[1])
local count, last, before = 0, 0, nil
for i = 1, #nodes, 2 do
  local ends = tonumber(string.match(nodes[i + 1], '^%S+ %d+ %d+ (%S+)') or 0)
  if ends <= now then
    redis.call('HDEL', KEYS[1], nodes[i])
  else
    count = count + 1
    if nodes[i] == ARGV[2] then
      before = nodes[i + 1]
    else
      last = math.max(last, ends)
    end
  end
end
if not before and count >= tonumber(ARGV[6]) then
  return nil
end
local source, ends, since = ARGV[3], ARGV[4], ARGV[1]
if before then
  local held, registered = string.match(before, '^(%S+) (%d+)')
  since = registered
  if held == 'manual' then
    source, ends = held, 'inf'
  end
end
local node = source .. ' ' .. since .. ' ' .. ARGV[1] .. ' ' .. ends .. ' ' .. ARGV[5]
redis.call('HSET', KEYS[1], ARGV[2], node)
last = math.max(last, tonumber(ends))
if last == math.huge then
  redis.call('PERSIST', KEYS[1])
  redis.call('ZADD', KEYS[2], '+inf', ARGV[7])
else
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - now + GRACE))
  redis.call('ZADD', KEYS[2], string.format('%.0f', last), ARGV[7])
end
prune(KEYS[2], ARGV[1])
return { before and 1 or 0, node }
