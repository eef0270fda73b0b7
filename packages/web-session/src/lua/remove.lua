-- End a session, and refuse its generation from now on; also one that was never stored.
--
-- KEYS[1] record       see lib/slot
-- KEYS[2] realm        zset: members of the realm's sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now          ms since the epoch
-- ARGV[2] tombstoneMs  how long at least it is refused, ms
-- ARGV[3] graceMs      how much longer Redis keeps everything, ms
-- ARGV[4] member       what indexes call the session
-- ARGV[5] generation   = and the one to end, escaped; empty: whichever is there
--
-- Returns {user, alias, score} when it was alive, else nothing.

-- include: slot, standings
local now = tonumber(ARGV[1])
local s, ended = read(redis.call('GET', KEYS[1]))
local marks = standing(ended, now)
local least = now + tonumber(ARGV[2])
local grace = tonumber(ARGV[3])
local wanted = ARGV[5] ~= '' and string.sub(ARGV[5], 2) or nil
local living = s and s.expires > now

-- A full server goes on with a script that began with a write that cannot grow.
redis.call('PERSIST', KEYS[1])
if living and (not wanted or wanted == s.generation) then
  local head, realm = place(KEYS[2])
  leave(head, realm, s, ARGV[4])
  mark(marks, s.generation, math.max(s.expires, least))
  bury(KEYS[1], marks, now, grace)
  --@ changed('web-session', KEYS[1], 'removal')
  return { s.user, s.alias, string.format('%.0f', s.score) }
end
if wanted or s or #marks == 0 then
  mark(marks, wanted or s and s.generation or '', least)
end
if s then
  write(KEYS[1], s, marks, now, grace)
else
  bury(KEYS[1], marks, now, grace)
end
return false
