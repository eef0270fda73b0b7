-- Name what another site has to know of a partition, a few hundred names at a time: tokens and revoked ids by realm, families that are
-- refused, then removals.
--
-- KEYS[1] realms      zset: realms with tokens that sites know of, scored by until when
-- ARGV[1] place       empty at first
-- ARGV[2] afterScore  0 at first
-- ARGV[3] afterId     empty at first
-- ARGV[4] limit       how many names
--
-- Returns {place, score, id to go on with, name...}; the place is empty at the end.

-- include: rank-behind, walk
local head = string.match(KEYS[1], '^(.*{%x%x}:)')
local places = {}
for _, realm in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  places[#places + 1] = 'ar:' .. realm
  places[#places + 1] = 'ax:' .. realm
end
-- Removals stand behind every realm.
places[#places + 1] = 'xg'
table.sort(places, function(a, b) return a ~= b and follows(b, a) end)
local at = 1
while places[at] and places[at] ~= ARGV[1] and not follows(places[at], ARGV[1]) do
  at = at + 1
end
local place = places[at]
local is_here = place == ARGV[1]
local index = head .. place
local entries, score, id = walk(index, is_here and rank_behind(index, ARGV[2], ARGV[3]) or 0, tonumber(ARGV[4]))
local answer = { place, score, id }
for i = 1, #entries, 2 do
  local kind = string.sub(place, 1, 2)
  if kind == 'ax' then
    answer[#answer + 1] = place .. ':' .. entries[i]
  elseif kind == 'xg' or string.sub(entries[i], 1, 3) ~= 'ac:' then
    answer[#answer + 1] = entries[i]
  end
end
if score == '' then
  answer[1], answer[2], answer[3] = places[at + 1] or '', '0', ''
end
return answer
