-- End the sessions of a user that began before a removal of all of them at another site, and refuse what did and comes later.
--
-- KEYS[1] fence        string: a mark, sign-ins that began before it are refused
-- ARGV[1] now          ms since the epoch
-- ARGV[2] site         the site that this is
-- ARGV[3] mark         of the removal
-- ARGV[4] fenceMs      how long the fence stands, 0: it does not any more
-- ARGV[5] endsMs       how long a removal is remembered
-- ARGV[6] spared       JSON: members of sessions that it spared
-- ARGV[7] afterDigest  empty at first
--
-- Returns the digest of the last one looked at, empty at the end.

-- include: moments, raise, of-users, putting, sharing-fence
local now, ends_ms = tonumber(ARGV[1]), tonumber(ARGV[5])
local head, name = name_in(KEYS[1])
local realm, user = string.match(name, '^wf:([^:]*):(.*)$')
local sessions = 'wo:' .. realm .. ':'
if ARGV[7] == '' then
  if ARGV[4] ~= '0' then
    raise(KEYS[1], ARGV[3], text(math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[4]))))
  end
  keep_fence(head, name, ARGV[3], now, ends_ms)
  for _, member in ipairs(cjson.decode(ARGV[6])) do
    spare(head, sessions .. string.sub(member, 9), ARGV[3], ends_ms)
  end
end
local latest = parts_of_mark(ARGV[3])
local members, last = members_of(head, realm, user, ARGV[7], 100)
for _, member in ipairs(members) do
  local key = head .. sessions .. string.sub(member, 9)
  local s, ended = slot_of(key)
  if s and s.expires > now and s.user == user then
    local stamps, raw = stamps_of(key)
    local state = state_of(s, ended, stamps, now, ARGV[2], now, ends_ms)
    if latest >= beginning_of(state.c) and latest > tonumber(stamps.K or '0') then
      state = fenced_state(state)
      put_session(key, member, s, ended, state, now, '')
      write_stamps(key, raw, state, now, ends_ms)
    end
  end
end
return last
