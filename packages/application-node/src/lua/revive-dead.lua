-- Make a dead letter due, as if it were new.
--
-- Its lane lies in the same slot and is spelt here.
--
-- KEYS[1] delivery   hash: see enqueue
-- KEYS[2] due        zset: lanes, scored by when they are due
-- KEYS[3] open       zset: messages of the realm under way, scored by when they die
-- KEYS[4] dead       zset: dead letters of the realm, scored by when they are forgotten
-- ARGV[1] now        ms since the epoch
-- ARGV[2] letter     its id
-- ARGV[3] maxLifeMs  how long a message is sent at most
-- ARGV[4] keepMs     how long a delivery is kept once it is over
--
-- Returns 1, or 0 where there is no such letter.

-- include: message, lane, kept
local now, life, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ends = tonumber(redis.call('ZSCORE', KEYS[4], ARGV[2]) or 0)
local member = string.sub(ARGV[2], 9)
local id = string.sub(member, 22)
local target = redis.call('HGET', KEYS[1], 't:' .. id)
if ends <= now or not target then
  return 0
end
local head, realm = string.match(KEYS[1], '^(.*{%x%x}:)nd:([^:]*):[^:]*$')
local tail = cjson.decode(target)[1]
local lane = head .. 'nl:' .. tail
local dies = string.format('%.0f', now + life)
local ms = string.format('%.0f', life + keep_ms + GRACE)
redis.call('ZREM', KEYS[4], ARGV[2])
redis.call('HSET', KEYS[1], 's:' .. id, 'queued 0 - - ' .. ARGV[1] .. ' ' .. dies .. ' -', 'l', dies)
redis.call('HINCRBY', KEYS[1], 'o', 1)
redis.call('ZADD', KEYS[3], dies, member)
keep(KEYS[3], ms)
redis.call('ZADD', lane, ARGV[1], member)
reschedule(lane, KEYS[2], tail, ms)
keep_delivery(head, realm, KEYS[1], now, keep_ms)
return 1
