-- Change names, the end, or the user of a session that is there; it never creates.
--
-- KEYS[1] record       see lib/slot
-- KEYS[2] realm        zset: members of the realm's sessions, scored by expiresAt
-- ARGV[1] now          ms since the epoch
-- ARGV[2] expiresAt    ms since the epoch; may have passed; empty: as it is
-- ARGV[3] tombstoneMs  how long at least what ends is refused, ms
-- ARGV[4] graceMs      how much longer Redis keeps everything, ms
-- ARGV[5] member       what indexes call the session
-- ARGV[6] ifVersion    change this version and no other; empty for any
-- ARGV[7] generation   = and the one to change, escaped; empty: whichever is there
-- ARGV[8] owner        = and the user, escaped, or nobody; empty: as it is
-- ARGV[9] since        when the sign-in began, ms since the epoch; 0 without one
-- ARGV[10] beginning    the same, as a removal of the user's sessions compares it; empty without one
-- ARGV[11] maxBytes    of the JSON of the data
-- ARGV[12] unset       JSON of names that go, each ended by a line feed
-- ARGV[13] set         lengths, a colon, and an object as JSON; empty for none
--
-- Returns the new version, or {'changed', version, expiresAt, alias} where a pointer has to follow; else 'ended', 'absent',
-- 'conflict', 'user', {'too-large', bytes} or {'passed', user, alias, expiresAt}.

local now = tonumber(ARGV[1])
local text = redis.call('GET', KEYS[1])
-- The usual touch: nothing was ended under the id, and the session is the one that is meant. It needs nothing of what stands
-- below. One in four goes there, by the last digits of the time: it also takes out of the indexes what has ended.
if text and ARGV[8] == '' and ARGV[12] == '' and (ARGV[13] or '') == '' and ARGV[2] ~= '' and now % 4 ~= 0 then
  local until_now, version, born, at = string.match(text, '^1:(%d+):(%d+):(%d+:%d+)::%d+:()')
  if until_now and tonumber(until_now) > now and tonumber(ARGV[2]) > now then
    local generation, user, alias, labels = string.match(text, '^([^:]*):([^:]*):([^:]*):([^:]*):[%d,]*:{', at)
    if generation and (ARGV[7] == '' or ARGV[7] == '=' .. generation) and (ARGV[6] == '' or ARGV[6] == version) then
      version = string.format('%.0f', tonumber(version) + 1)
      local ttl = tonumber(ARGV[2]) - now + tonumber(ARGV[4])
      local ms = string.format('%.0f', ttl)
      -- A full server goes on with a script that began with a write that cannot grow.
      redis.call('PEXPIRE', KEYS[1], ms)
      local head = '1:' .. ARGV[2] .. ':' .. version .. ':' .. born .. '::' .. ARGV[1] .. ':'
      redis.call('SET', KEYS[1], head .. string.sub(text, at), 'PX', ms)
      --@ changed('web-session', KEYS[1], 'touch')
      if until_now ~= ARGV[2] then
        -- include: again
        again(KEYS[2], user, labels, ARGV[2], ARGV[5], ttl)
        if alias ~= '' then
          return { 'changed', tonumber(version), ARGV[2], alias }
        end
      end
      return tonumber(version)
    end
  end
end

-- include: slot, standings, fence, listing, merge
local s, ended = read(text)
local marks = standing(ended, now)
local wanted = ARGV[7] ~= '' and string.sub(ARGV[7], 2) or nil
if not s or s.expires <= now or (wanted and wanted ~= s.generation) then
  for _, held in ipairs(marks) do
    if not wanted or held[2] == wanted then
      return 'ended'
    end
  end
  return 'absent'
end
if ARGV[6] ~= '' and s.version ~= ARGV[6] then
  return 'conflict'
end
local head, realm = place(KEYS[2])
local before = { expires = s.expires, user = s.user, labels = s.labels }
local user = ARGV[8] == '' and s.user or string.sub(ARGV[8], 2)
if user ~= s.user then
  if user ~= '' and fenced(head, realm, user, ARGV[10]) then
    return 'user'
  end
  s.user, s.since = user, ARGV[9]
end

local expires = ARGV[2] == '' and s.expires or tonumber(ARGV[2])
if expires <= now then
  mark(marks, s.generation, math.max(s.expires, now + tonumber(ARGV[3])))
  redis.call('ZREM', KEYS[2], ARGV[5])
  leave(head, realm, before, ARGV[5])
  bury(KEYS[1], marks, now, tonumber(ARGV[4]))
  --@ changed('web-session', KEYS[1], 'removal')
  return { 'passed', before.user, s.alias, string.format('%.0f', before.expires) }
end

local has_changed = ARGV[12] ~= '' or (ARGV[13] or '') ~= ''
if has_changed then
  s.lengths, s.data = merge(s.lengths, s.data, ARGV[12], ARGV[13] or '')
  if #s.data > tonumber(ARGV[11]) then
    return { 'too-large', #s.data }
  end
end
-- A full server goes on with a script that began with a write that cannot grow: with a touch, and with what takes away.
-- Nothing is refused behind this line: the record would stay for ever.
if (ARGV[13] or '') == '' and #ARGV[8] < 2 then
  redis.call('PERSIST', KEYS[1])
end
if has_changed or s.user ~= before.user then
  s.rest = s.generation .. ':' .. s.user .. ':' .. s.alias .. ':' .. s.labels .. ':' .. s.lengths .. ':' .. s.data
end
s.expires = expires
s.version = string.format('%.0f', tonumber(s.version) + 1)
leave(head, realm, before, ARGV[5], s)
local ttl = write(KEYS[1], s, marks, now, ARGV[1], tonumber(ARGV[4]))
if expires ~= before.expires or s.user ~= before.user then
  list(head, realm, s, ARGV[5], ttl, now)
end
--@ if has_changed or s.user ~= before.user then changed('web-session', KEYS[1], 'full') end
--@ if not has_changed and s.user == before.user then changed('web-session', KEYS[1], 'touch') end
if s.alias ~= '' and expires ~= before.expires then
  return { 'changed', tonumber(s.version), string.format('%.0f', expires), s.alias }
end
return tonumber(s.version)
