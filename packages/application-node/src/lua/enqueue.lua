-- Store messages of a delivery; those that are there stay as they are, but for those that a full queue refused.
--
-- KEYS[1] delivery      hash: _v, c createdAt, x expiresAt, e announcement, n not-before, o messages under way, l when the last of
--                       them dies, d when its last dead letter is forgotten; of each message t:<id> target and s:<id> state
-- KEYS[2] due           zset: lanes, scored by when they are due
-- KEYS[3] open          zset: messages of the realm under way, scored by when they die
-- KEYS[4] notBefore     hash: the largest not-before by client and host
-- ARGV[1] now           ms since the epoch
-- ARGV[2] maxLifeMs     how long a message is sent at most
-- ARGV[3] keepMs        how long a delivery is kept once it is over
-- ARGV[4] maxQueued     messages of the realm under way at most
-- ARGV[5] announcement  as JSON
-- ARGV[6] value         of a not-before, ms since the epoch; empty for another announcement
-- ARGV[7] messages      as JSON: id, lane, target, and why it is refused or ''
--
-- Returns how many were refused because the queue is full.

-- include: message, lane, kept
local now, life, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local head, realm, name = string.match(KEYS[1], '^(.*{%x%x}:)nd:([^:]*):([^:]*)$')
local ends = tonumber(redis.call('HGET', KEYS[1], 'x') or 0)
if ends <= now then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], '_v', '1', 'c', ARGV[1], 'e', ARGV[5], 'o', 0)
  if ARGV[6] ~= '' then
    redis.call('HSET', KEYS[1], 'n', ARGV[6])
  end
end
prune(KEYS[3], now)
local open = redis.call('ZCARD', KEYS[3])
local dies = string.format('%.0f', now + life)
local ms = string.format('%.0f', life + keep_ms + GRACE)
local refused = 0
for _, message in ipairs(cjson.decode(ARGV[7])) do
  local id, tail, target, reason = message[1], message[2], message[3], message[4]
  local before = read_state(redis.call('HGET', KEYS[1], 's:' .. id))
  if not before or before.reason == 'queue-full' and before.state == 'refused' then
    if reason == '' and open >= tonumber(ARGV[4]) then
      reason = 'queue-full'
      refused = refused + 1
    end
    local state = reason == '' and 'queued 0 - -' or 'refused 0 - ' .. reason
    redis.call('HSET', KEYS[1], 't:' .. id, target, 's:' .. id, state .. ' ' .. ARGV[1] .. ' ' .. dies .. ' -')
    if ARGV[6] ~= '' and tail ~= '' then
      local place = string.match(tail, '^[^:]*:(.*)$')
      local largest = tonumber(redis.call('HGET', KEYS[4], place) or 0)
      redis.call('HSET', KEYS[4], place, string.format('%.0f', math.max(largest, tonumber(ARGV[6]))))
      keep(KEYS[4], ms)
    end
    if reason == '' then
      open = open + 1
      local lane = head .. 'nl:' .. tail
      redis.call('ZADD', KEYS[3], dies, name .. id)
      keep(KEYS[3], ms)
      redis.call('HINCRBY', KEYS[1], 'o', 1)
      redis.call('HSET', KEYS[1], 'l', dies)
      redis.call('ZADD', lane, ARGV[1], name .. id)
      reschedule(lane, KEYS[2], tail, ms)
    end
  end
end
keep_delivery(head, realm, KEYS[1], now, keep_ms)
return refused
