-- Name what another site has to know of a partition, a few hundred names at a time: sessions, then removals.
--
-- KEYS[1] due         zset: u or o and a realm, scored by when the first of its sessions may be over
-- ARGV[1] now         ms since the epoch
-- ARGV[2] place       empty at first
-- ARGV[3] afterScore  0 at first
-- ARGV[4] afterId     empty at first
-- ARGV[5] limit       how many names
--
-- Returns {place, score, id to go on with, name...}; the place is empty at the end.

-- include: lag, keys, rank-behind, walk
local head = string.match(KEYS[1], '^(.*{%x%x}:)')
local places = redis.call('ZRANGE', KEYS[1], 0, -1)
-- Removals stand behind every realm.
places[#places + 1] = '~'
table.sort(places, function(a, b) return a ~= b and follows(b, a) end)
local at = 1
while places[at] and places[at] ~= ARGV[2] and not follows(places[at], ARGV[2]) do
  at = at + 1
end
local place = places[at]
local kind, realm = string.match(place, '^([uo]):(.*)$')
local index = kind and head .. kind .. 'r:' .. realm or head .. 'xt'
local is_here = place == ARGV[2]
local entries, score, id = walk(index, is_here and rank_behind(index, ARGV[3], ARGV[4]) or 0, tonumber(ARGV[5]))
local answer = { place, score, id }
for i = 1, #entries, 2 do
  answer[#answer + 1] = (kind and kind .. 's:' .. realm .. ':' or '') .. entries[i]
end
if score == '' then
  answer[1], answer[2], answer[3] = places[at + 1] or '', '0', ''
end
return answer
