-- Store a session whole, unless it was ended.
--
-- The keys of its user and labels lie in the same slot and are spelt here.
--
-- KEYS[1] record       string: see lib/slot
-- KEYS[2] realm        zset: members of the realm's sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now          ms since the epoch, in base 36
-- ARGV[2] expiresAt    ms since the epoch, in base 36; may have passed
-- ARGV[3] tombstoneMs  how long at least what ends is refused, ms
-- ARGV[4] graceMs      how much longer Redis keeps everything, ms
-- ARGV[5] member       what indexes call the session
-- ARGV[6] mustExist    1: store nothing where there is none of this generation
-- ARGV[7] ifVersion    store over this version and no other; 0 where there is none of this generation; empty for any
-- ARGV[8] since        when the sign-in began, ms since the epoch, in base 36; empty without a user
-- ARGV[9] beginning    the same, as a removal of the user's sessions compares it; empty without a user
-- ARGV[10] rest        of the text: from the generation on
-- ARGV[11] layout      to write in
--
-- Returns the version when stored, or {'replaced', user} where that ended another generation, of that user; else 'ended', 'user',
-- 'absent', 'conflict', or {'passed', user}: the user only where something was alive and ended.

-- include: lag
local now, expires = tonumber(ARGV[1], 36), tonumber(ARGV[2], 36)
-- The usual save: over the same session of the same user, with the same labels, and nothing was ended under the id. It needs
-- nothing of what stands below. One in four of those that indexes follow goes there, by the last digits of the time: it also takes out
-- of the indexes what has ended. So does one with an alias.
local start = redis.call('GETRANGE', KEYS[1], 0, 511)
local ends, lag, version, created, since, at = string.match(start, '^2:(%w+):(%d+):%w+:(%d+):(%w+):(%w*)::()')
if ends and expires > now and tonumber(ends, 36) > now and (ARGV[7] == '' or ARGV[7] == version) then
  local score = tonumber(ends, 36) + lag
  local is_near = stands_for(score, expires)
  local whose, user, labels = string.match(start, '^([^:]*:([^:]*)::([^:]*):)', at)
  if whose and string.sub(ARGV[10], 1, #whose) == whose and (is_near or now % 4 ~= 0) then
    if not is_near then
      score = expires + LAG
    end
    version = string.format('%.0f', version + 1)
    local ttl = expires - now + ARGV[4]
    local times = '2:' .. ARGV[2] .. string.format(':%05d:', score - expires) .. ARGV[1] .. ':' .. version .. ':' .. created
    redis.call('SET', KEYS[1], times .. ':' .. since .. '::' .. ARGV[10], 'PX', string.format('%.0f', ttl))
    --@ changed('web-session', KEYS[1], 'full')
    if not is_near then
      -- include: again
      again(KEYS[2], user, labels, string.format('%.0f', score), ARGV[5], ttl + LAG)
    end
    return tonumber(version)
  end
end

-- include: slot, standings, fence, listing
local before, ended = read(start ~= '' and redis.call('GET', KEYS[1]))
local marks = standing(ended, now)
local living = before and before.expires > now and before or nil
local generation, user, alias, labels = string.match(ARGV[10], '^([^:]*):([^:]*):([^:]*):([^:]*):')
for _, held in ipairs(marks) do
  if held[2] == generation then
    return 'ended'
  end
end
local same = living and living.generation == generation and living or nil
if not same and (ARGV[6] == '1' or (ARGV[7] ~= '' and ARGV[7] ~= '0')) then
  return 'absent'
end
if same and ARGV[7] ~= '' and same.version ~= ARGV[7] then
  return 'conflict'
end
local head, realm = place(KEYS[2])
local is_his = same and user ~= '' and same.user == user
if user ~= '' and not is_his and fenced(head, realm, user, ARGV[9]) then
  return 'user'
end

local least = now + tonumber(ARGV[3])
local grace = tonumber(ARGV[4])
if expires <= now then
  mark(marks, generation, math.max(same and same.expires or 0, least))
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('PERSIST', KEYS[1])
  if before and not same then
    write(KEYS[1], before, marks, now, grace)
    return { 'passed' }
  end
  if same then
    leave(head, realm, same, ARGV[5])
  end
  bury(KEYS[1], marks, now, grace)
  --@ if same then changed('web-session', KEYS[1], 'removal') end
  return same and { 'passed', same.user } or { 'passed' }
end

if living and not same then
  mark(marks, living.generation, math.max(living.expires, least))
end
local s = {
  ends = ARGV[2],
  expires = expires,
  is_old = ARGV[11] == '1',
  score = ARGV[11] == '1' and expires or expires + LAG,
  saved = ARGV[1],
  version = same and string.format('%.0f', same.version + 1) or '1',
  created = same and same.created or ARGV[1],
  since = is_his and same.since or ARGV[8],
  user = user,
  labels = labels,
  rest = ARGV[10],
}
if s.since == s.created then
  s.since = ''
end
-- First the record, so that a full server refuses what may grow before anything has changed.
write(KEYS[1], s, marks, now, grace)
if before then
  leave(head, realm, before, ARGV[5], s)
end
list(head, realm, s, ARGV[5], now, grace)
--@ if living and not same then changed('web-session', KEYS[1], 'removal') end
--@ changed('web-session', KEYS[1], 'full')
if living and not same then
  return { 'replaced', living.user }
end
return tonumber(s.version)
