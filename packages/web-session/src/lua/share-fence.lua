-- Remember a removal of all sessions of a user for as long as other removals, and answer it for other sites.
--
-- KEYS[1] fence   string: a mark, sign-ins that began before it are refused
-- ARGV[1] now     ms since the epoch
-- ARGV[2] endsMs  how long a removal is remembered
--
-- Returns {mark, for how many ms it stands, member...} of sessions that it spared, or nil when there is none.

-- include: enter, slot, standings, sharing, moments, raise, of-users, sharing-fence
local now, ends_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local head, name = name_in(KEYS[1])
local realm, user = string.match(name, '^wf:([^:]*):(.*)$')
local mark, ms = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
if mark then
  keep_fence(head, name, mark, now, ends_ms)
else
  mark = redis.call('GET', head .. 'xf:' .. name)
end
if not mark then
  return false
end
-- What lives here it has spared, or it began later.
local answer = { mark, math.max(ms, 0) }
for _, member in ipairs((members_of(head, realm, user, '', 1000))) do
  local of_session = 'wo:' .. realm .. ':' .. string.sub(member, 9)
  local s = slot_of(head .. of_session)
  if s and s.expires > now and s.user == user then
    spare(head, of_session, mark, ends_ms)
    answer[#answer + 1] = member
  end
end
return answer
