-- Move the end of a session that is there, and nothing else.
--
-- KEYS[1] record       see lib/slot
-- KEYS[2] realm        zset: members of the realm's sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now          ms since the epoch, in base 36
-- ARGV[2] expiresAt    ms since the epoch, in base 36; may have passed
-- ARGV[3] tombstoneMs  how long at least what ends is refused, ms
-- ARGV[4] graceMs      how much longer Redis keeps everything, ms
-- ARGV[5] member       what indexes call the session
-- ARGV[6] layout       to write in
--
-- Returns what update returns.

-- include: lag
-- The usual touch: nothing was ended under the id, and indexes need not follow. It reads and writes the times alone, however large
-- the session is, unless their text has another length.
local now, expires = tonumber(ARGV[1], 36), tonumber(ARGV[2], 36)
local times, ends, lag, version = string.match(redis.call('GETRANGE', KEYS[1], 0, 127), '^(2:(%w+):(%d+):%w+:(%d+):)%w+:%w*::')
if times and expires > now and tonumber(ends, 36) > now then
  local score = tonumber(ends, 36) + lag
  if stands_for(score, expires) then
    version = string.format('%.0f', version + 1)
    local later = '2:' .. ARGV[2] .. string.format(':%05d:', score - expires) .. ARGV[1] .. ':' .. version .. ':'
    if #later == #times then
      -- A full server goes on with a script that began with a write that cannot grow.
      redis.call('PEXPIRE', KEYS[1], string.format('%.0f', expires - now + ARGV[4]))
      redis.call('SETRANGE', KEYS[1], 0, later)
      --@ changed('web-session', KEYS[1], 'touch')
      return tonumber(version)
    end
  end
end

-- include: changing
return change(KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], {
  version = '',
  generation = '',
  owner = '',
  since = '',
  beginning = '',
  most = 0,
  unset = '',
  set = '',
  layout = ARGV[6],
})
