-- End the sessions of an index, as many as a step takes, and refuse sign-ins that began before.
--
-- KEYS[1] index        zset: of a user, tags of users and members of their sessions, all of one score; else members of sessions, scored by
--                      a minute more than their expiresAt at most
-- KEYS[2] realm        zset: members of the realm's sessions, scored alike
-- KEYS[3] fence        string: a mark, sign-ins that began before it are refused
-- KEYS[4] former       zset: members of the user's sessions, scored by expiresAt, as the first format had it
-- ARGV[1] now          ms since the epoch
-- ARGV[2] tombstoneMs  how long at least what ends is refused, and the fence stands, ms
-- ARGV[3] graceMs      how much longer Redis keeps everything, ms
-- ARGV[4] mark         of this removal; empty: it refuses nothing
-- ARGV[5] except       member that stays, empty for none
-- ARGV[6] limit        members to look at
-- ARGV[7] afterScore   0 at first
-- ARGV[8] afterDigest  empty at first
-- ARGV[9] user         escaped, whose sessions end; empty: those of the index
--
-- Returns {score, digest, member, user...}: where to go on, with an empty digest at the end, and what was alive and ended.

-- include: slot, standings, moments, raise, rank-behind, walk, of-users
local now = tonumber(ARGV[1])
local head, realm = place(KEYS[2])
local is_later_step = ARGV[8] ~= ''
if ARGV[4] ~= '' then
  raise(KEYS[3], ARGV[4], string.format('%.0f', tonumber(ARGV[2]) + tonumber(ARGV[3])))
  --@ if not is_later_step then changed('web-session-fence', KEYS[3], 'full') end
end
local latest = ARGV[4] ~= '' and parts_of_mark(ARGV[4]) or 0

-- Whether a session bears a label of an index.
local function bears(index, s)
  for name, value in string.gmatch(s.labels, '([^{]+){([^}]+)}') do
    if index == head .. 'wl:' .. realm .. ':' .. name .. ':' .. value then
      return true
    end
  end
  return false
end

local answer = { '', '' }
-- Ends a session of an index, unless it stays. `entry` is what the index calls it, and `tag` that of its user, if the index says it.
local function end_of(index, entry, member, tag)
  local key = head .. 'wo:' .. realm .. ':' .. string.sub(member, 9)
  if member == ARGV[5] then
    return
  end
  local s, ended = read(redis.call('GET', key))
  local stands = s and (
    index == KEYS[2] and entry == in_realm(s, member) or ARGV[9] ~= '' and s.user == ARGV[9] or bears(index, s)
  )
  if s and not stands then
    local is_of_another = index == KEYS[1] and ARGV[9] ~= '' and s.user ~= '' and not s.is_old and tag_of(s.user) == tag
    if not is_of_another then
      -- It is left of an earlier session of the id, which Redis forgot.
      redis.call('ZREM', index, entry)
      if tag then
        forget(head, realm, member, tag)
      end
    end
    return
  end
  -- The first step and the fence are one. What comes between steps may have begun later, or is new.
  if s and is_later_step then
    local created = tonumber(s.created, 36)
    local since = s.since == '' and created or tonumber(s.since, 36)
    if created > now or (ARGV[4] ~= '' and since * 1000 > latest) then
      return
    end
  end
  redis.call('ZREM', index, entry)
  local marks = standing(ended, now)
  if not s and tag then
    forget(head, realm, member, tag)
  end
  leave(head, realm, s or { user = '', labels = '' }, member)
  if s then
    mark(marks, s.generation, math.max(s.expires, now + tonumber(ARGV[2])))
    if s.expires > now then
      answer[#answer + 1] = member
      answer[#answer + 1] = s.user
      --@ changed('web-session', key, 'removal')
    end
  end
  if #marks > 0 then
    bury(key, marks, now, tonumber(ARGV[3]))
  else
    redis.call('UNLINK', key)
  end
end

local limit, is_in_former = tonumber(ARGV[6]), tonumber(ARGV[7]) > 0
if ARGV[9] ~= '' and not is_in_former then
  local tag = tag_of(ARGV[9])
  local members = of_users(KEYS[1], tag, ARGV[8], limit)
  for _, member in ipairs(members) do
    end_of(KEYS[1], tag .. member, member, tag)
  end
  if #members == limit then
    answer[1], answer[2] = '0', string.sub(members[limit], 1, 8)
    return answer
  end
end
local index = ARGV[9] ~= '' and KEYS[4] or KEYS[1]
local first = (ARGV[9] == '' and is_later_step or is_in_former) and rank_behind(index, ARGV[7], ARGV[8] .. '\255') or 0
local entries, score, last = walk(index, first, limit)
for i = 1, #entries, 2 do
  local member, tag = string.match(entries[i], '^([^:]*):?(.*)$')
  end_of(index, entries[i], member, tag ~= '' and tag)
end
answer[1], answer[2] = score, string.sub(last, 1, 8)
return answer
