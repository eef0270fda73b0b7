-- List dead letters of a realm behind a place.
--
-- Their deliveries lie in the same slot and are spelt here.
--
-- KEYS[1] dead        zset: dead letters of the realm, scored by when they are forgotten
-- ARGV[1] now         ms since the epoch
-- ARGV[2] afterScore  of the place, 0 at first
-- ARGV[3] afterId     of the place, empty at first
-- ARGV[4] limit       letters wanted
--
-- Returns {letter, expiresAt, announcement, createdAt, target, state...}.

-- include: living-behind
local head, realm = string.match(KEYS[1], '^(.*{%x%x}:)nx:([^:]*)$')
local entries = living_behind(KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
local answer = {}
for i = 1, #entries, 2 do
  local member = string.sub(entries[i], 9)
  local id = string.sub(member, 22)
  local delivery = head .. 'nd:' .. realm .. ':' .. string.sub(member, 1, 21)
  local held = redis.call('HMGET', delivery, 'e', 'c', 't:' .. id, 's:' .. id)
  for _, value in ipairs({ entries[i], entries[i + 1], held[1] or '', held[2] or '', held[3] or '', held[4] or '' }) do
    answer[#answer + 1] = value
  end
end
return answer
