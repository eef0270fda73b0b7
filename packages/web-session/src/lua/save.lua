-- Store a session whole, unless it was ended.
--
-- The keys of its user and labels lie in the same slot and are spelt here.
--
-- KEYS[1] record       string: see lib/slot
-- KEYS[2] realm        zset: members of the realm's sessions, scored by expiresAt
-- ARGV[1] now          ms since the epoch
-- ARGV[2] expiresAt    ms since the epoch; may have passed
-- ARGV[3] tombstoneMs  how long at least what ends is refused, ms
-- ARGV[4] graceMs      how much longer Redis keeps everything, ms
-- ARGV[5] member       what indexes call the session
-- ARGV[6] mustExist    1: store nothing where there is none of this generation
-- ARGV[7] ifVersion    store over this version and no other; 0 where there is none of this generation; empty for any
-- ARGV[8] since        when the sign-in began, ms since the epoch; 0 without a user
-- ARGV[9] beginning    the same, as a removal of the user's sessions compares it; empty without a user
-- ARGV[10] rest        of the text: from the generation on
--
-- Returns the version when stored, or {'replaced', user} where that ended another generation, of that user; else 'ended', 'user',
-- 'absent', 'conflict', or {'passed', user}: the user only where something was alive and ended.

local now, expires = tonumber(ARGV[1]), tonumber(ARGV[2])
local text = redis.call('GET', KEYS[1])
-- The usual save: over the same session of the same user, with the same labels, and nothing was ended under the id. It needs
-- nothing of what stands below. One in four goes there, by the last digits of the time: it also takes out of the indexes what
-- has ended.
if text and expires > now and now % 4 ~= 0 then
  local until_now, version, created, since, at = string.match(text, '^1:(%d+):(%d+):(%d+):(%d+)::%d+:()')
  if until_now and tonumber(until_now) > now and (ARGV[7] == '' or ARGV[7] == version) then
    local whose, user, labels = string.match(text, '^([^:]*:([^:]*):[^:]*:([^:]*):)[%d,]*:{', at)
    if whose and string.sub(ARGV[10], 1, #whose) == whose then
      version = string.format('%.0f', tonumber(version) + 1)
      local ttl = expires - now + tonumber(ARGV[4])
      local head = '1:' .. ARGV[2] .. ':' .. version .. ':' .. created .. ':' .. (user == '' and ARGV[8] or since) .. '::' .. ARGV[1] .. ':'
      redis.call('SET', KEYS[1], head .. ARGV[10], 'PX', string.format('%.0f', ttl))
      --@ changed('web-session', KEYS[1], 'full')
      if until_now ~= ARGV[2] then
        -- include: again
        again(KEYS[2], user, labels, ARGV[2], ARGV[5], ttl)
      end
      return tonumber(version)
    end
  end
end

-- include: slot, standings, fence, listing
local before, ended = read(text)
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
  if before and not same then
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('PERSIST', KEYS[1])
    write(KEYS[1], before, marks, now, before.saved, grace)
    return { 'passed' }
  end
  redis.call('ZREM', KEYS[2], ARGV[5])
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
  expires = expires,
  version = same and string.format('%.0f', tonumber(same.version) + 1) or '1',
  created = same and same.created or ARGV[1],
  since = is_his and same.since or ARGV[8],
  user = user,
  labels = labels,
  rest = ARGV[10],
}
if before then
  leave(head, realm, before, ARGV[5], s)
end
local ttl = write(KEYS[1], s, marks, now, ARGV[1], grace)
if not (same and same.expires == expires and same.user == user and same.labels == labels) then
  list(head, realm, s, ARGV[5], ttl, now)
end
--@ if living and not same then changed('web-session', KEYS[1], 'removal') end
--@ changed('web-session', KEYS[1], 'full')
if living and not same then
  return { 'replaced', living.user }
end
return tonumber(s.version)
