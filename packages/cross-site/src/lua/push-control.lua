-- Cancels, pauses or resumes a push, or says that it failed.
--
-- KEYS[1] push    hash: as push-begin writes it
-- ARGV[1] action  cancel, pause, resume or fail
-- ARGV[2] now     ms since the epoch
-- ARGV[3] error   why, or empty
-- ARGV[4] keepMs  how long a finished push is remembered
--
-- Returns all its fields, flat; none: there is no such push. What is over stays as it is.

local status = redis.call('HGET', KEYS[1], 'status')
local is_active = status == 'queued' or status == 'running'
local becomes
if ARGV[1] == 'resume' then
  becomes = status == 'paused' and 'running'
elseif ARGV[1] == 'pause' then
  becomes = is_active and 'paused'
else
  becomes = (is_active or status == 'paused') and (ARGV[1] == 'cancel' and 'cancelled' or 'failed')
end
if becomes then
  redis.call('HSET', KEYS[1], 'status', becomes, 'updatedAt', ARGV[2])
  if ARGV[3] == '' then
    redis.call('HDEL', KEYS[1], 'error')
  else
    redis.call('HSET', KEYS[1], 'error', ARGV[3])
  end
  if becomes == 'running' then
    redis.call('HSETNX', KEYS[1], 'startedAt', ARGV[2])
    redis.call(
      'HSET', KEYS[1], 'resumedAt', ARGV[2],
      'scannedThen', redis.call('HGET', KEYS[1], 'scanned') or '0',
      'doneThen', redis.call('HGET', KEYS[1], 'done')
    )
  elseif becomes ~= 'paused' then
    redis.call('HSET', KEYS[1], 'finishedAt', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
  end
end
return redis.call('HGETALL', KEYS[1])
