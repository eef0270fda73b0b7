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

-- include: lag, keys, places
local names, place, score, id = walk_places(KEYS[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]))
local answer = { place, score, id }
for _, name in ipairs(names) do
  answer[#answer + 1] = name
end
return answer
