-- Notes how far a push has come in a partition.
--
-- KEYS[1] push       hash: as push-begin writes it; p:<partition> is how far it has come there
-- ARGV[1] partition  which
-- ARGV[2] before     how far it had come
-- ARGV[3] after      how far it has come; done at the end
-- ARGV[4] now        ms since the epoch
-- ARGV[5] figures    JSON: by field what has to be added
-- ARGV[6] found      what was found in the partition, or empty
-- ARGV[7] keepMs     how long a finished push is remembered
--
-- Returns its status; moved: another node was here; empty: there is no such push.

local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  return ''
end
if status ~= 'running' and status ~= 'queued' then
  return status
end
local place = 'p:' .. ARGV[1]
if (redis.call('HGET', KEYS[1], place) or '') ~= ARGV[2] then
  return 'moved'
end
if status == 'queued' then
  redis.call('HSET', KEYS[1], 'status', 'running', 'startedAt', ARGV[4], 'resumedAt', ARGV[4], 'scannedThen', '0', 'doneThen', '0')
end
redis.call('HSET', KEYS[1], place, ARGV[3], 'updatedAt', ARGV[4])
for field, number in pairs(cjson.decode(ARGV[5])) do
  redis.call('HINCRBY', KEYS[1], field, string.format('%.0f', number))
end
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'f:' .. ARGV[1], ARGV[6])
end
if ARGV[3] ~= 'done' or redis.call('HINCRBY', KEYS[1], 'done', 1) < tonumber(redis.call('HGET', KEYS[1], 'total')) then
  return 'running'
end
redis.call('HSET', KEYS[1], 'status', 'done', 'finishedAt', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 'done'
