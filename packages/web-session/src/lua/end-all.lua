-- End the sessions of an index, as many as a step takes, and refuse sign-ins that began before.
--
-- KEYS[1] index        zset: members of sessions, scored by expiresAt
-- KEYS[2] realm        zset: members of the realm's sessions, scored by expiresAt
-- KEYS[3] fence        string: a mark, sign-ins that began before it are refused
-- ARGV[1] now          ms since the epoch
-- ARGV[2] tombstoneMs  how long at least what ends is refused, and the fence stands, ms
-- ARGV[3] graceMs      how much longer Redis keeps everything, ms
-- ARGV[4] mark         of this removal; empty: it refuses nothing
-- ARGV[5] except       member that stays, empty for none
-- ARGV[6] limit        members to look at
-- ARGV[7] afterScore   0 at first
-- ARGV[8] afterDigest  empty at first
--
-- Returns {score, digest, member, user...}: where to go on, with an empty digest at the end, and what was alive and ended.

-- include: slot, standings, moments, raise, behind, walk
local now = tonumber(ARGV[1])
local head, realm = place(KEYS[2])
local is_later_step = ARGV[8] ~= ''
if ARGV[4] ~= '' then
  raise(KEYS[3], ARGV[4], string.format('%.0f', tonumber(ARGV[2]) + tonumber(ARGV[3])))
  --@ if not is_later_step then changed('web-session-fence', KEYS[3], 'full') end
end
local latest = ARGV[4] ~= '' and parts_of_mark(ARGV[4]) or 0

local first = is_later_step and behind(KEYS[1], ARGV[7], ARGV[8]) or 0
local entries, score, last = walk(KEYS[1], first, tonumber(ARGV[6]))
local answer = { score, string.sub(last, 1, 8) }
for i = 1, #entries, 2 do
  local member = entries[i]
  local key = head .. 'wo:' .. realm .. ':' .. string.sub(member, 9)
  local s, ended
  if member ~= ARGV[5] then
    s, ended = read(redis.call('GET', key))
  end
  -- The first step and the fence are one. What comes between steps may have begun later, or is new.
  local is_later = s and is_later_step and (
    tonumber(s.created) > now or (ARGV[4] ~= '' and tonumber(s.since) * 1000 > latest)
  )
  local stays = member == ARGV[5] or is_later
  if s and not stands_in(KEYS[1], head, realm, s) then
    -- It is left of an earlier session of the id, which Redis forgot.
    redis.call('ZREM', KEYS[1], member)
  elseif not stays then
    redis.call('ZREM', KEYS[1], member)
    redis.call('ZREM', KEYS[2], member)
    local marks = standing(ended, now)
    if s then
      leave(head, realm, s, member)
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
end
return answer
