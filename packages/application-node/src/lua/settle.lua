-- Store how an attempt ended, where the message is still the owner's.
--
-- The lists of the realm lie in the same slot and are spelt here.
--
-- KEYS[1] delivery     hash: see enqueue
-- KEYS[2] lane         zset: messages of a lane, scored by when they are sent next; '!' until when the lane is held
-- KEYS[3] due          zset: lanes, scored by when they are due
-- ARGV[1] now          ms since the epoch
-- ARGV[2] message      its id
-- ARGV[3] owner        who took it
-- ARGV[4] state        as it is stored, see lib/message
-- ARGV[5] laneFreeAt   no message of the lane is taken before, ms since the epoch
-- ARGV[6] maxLifeMs    how long a message is sent at most
-- ARGV[7] keepMs       how long a delivery is kept once it is over
-- ARGV[8] deadKeepMs   how long a dead letter is kept
-- ARGV[9] maxDead      dead letters of a realm at most
--
-- Returns the state that was stored, or nil where the message is not the owner's.

-- include: message, lane, finish
local now, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[7])
local head, realm, name = string.match(KEYS[1], '^(.*{%x%x}:)nd:([^:]*):([^:]*)$')
local held = redis.call('HMGET', KEYS[1], 's:' .. ARGV[2], 'n')
local before, s = read_state(held[1]), read_state(ARGV[4])
if not before or not before.open or before.owner ~= ARGV[3] then
  return nil
end
local tail = string.sub(KEYS[2], #head + 4)
local member = name .. ARGV[2]
if s.state == 'dead' and outdated(head, realm, tail, held[2]) then
  s.state, s.reason = 'superseded', 'newer-value'
end
if s.open then
  redis.call('HSET', KEYS[1], 's:' .. ARGV[2], state_text(s))
  redis.call('ZADD', KEYS[2], string.format('%.0f', s.at), member)
else
  redis.call('ZREM', KEYS[2], member)
  finish(head, realm, KEYS[1], member, s, now, keep_ms, tonumber(ARGV[8]), tonumber(ARGV[9]))
end
if tonumber(ARGV[5]) > now then
  redis.call('ZADD', KEYS[2], ARGV[5], '!')
else
  redis.call('ZREM', KEYS[2], '!')
end
reschedule(KEYS[2], KEYS[3], tail, string.format('%.0f', tonumber(ARGV[6]) + keep_ms + GRACE))
return state_text(s)
