-- Remember a removal of all sessions of a user, or of a realm, for as long as other removals, and answer it for other sites.
--
-- KEYS[1] fence   string: a mark, what began before it is refused
-- KEYS[2] index   zset: session ids of the user or realm, scored by expiresAt or a little less
-- ARGV[1] now     ms since the epoch
-- ARGV[2] endsMs  how long a removal is remembered
--
-- Returns {mark, for how many ms it stands, id...} of sessions that it spared, or nil when there is none.

-- include: lag, times, keys, reading, grace, moments, sharing-fence
local now = tonumber(ARGV[1])
local head, name = string.match(KEYS[1], '^(.*{%x%x}:)(.*)$')
local mark, ms = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
if mark then
  keep_fence(head, name, mark, now, tonumber(ARGV[2]))
else
  mark = redis.call('GET', head .. 'xf:' .. name)
end
if not mark then
  return false
end
local answer = { mark, math.max(ms, 0) }
-- Only that of a user spares a session: the one in which all others were ended. What lives here it has spared, or it began later:
-- another site may hold it as it was before a restart.
if select(2, string.gsub(name, ':', '')) == 2 then
  local sessions = sessions_of(KEYS[2])
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], now - SLACK, '+inf', 'LIMIT', 0, 1000)) do
    local key = sessions .. id
    if living(key, now) then
      spare(head, string.sub(key, #head + 1), mark, tonumber(ARGV[2]))
      answer[#answer + 1] = id
    end
  end
end
return answer
