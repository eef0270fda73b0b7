-- Name what another site has to know of a partition, some names at a time.
--
-- KEYS[1] known       zset: names of roots that sites know of, scored by when they are forgotten
-- ARGV[1] afterScore  0 at first
-- ARGV[2] afterName   empty at first
-- ARGV[3] limit       how many names
--
-- Returns {score and name to go on behind, or empty at the end, name...}.

-- include: rank-behind, walk
local first = ARGV[2] == '' and 0 or rank_behind(KEYS[1], ARGV[1], ARGV[2])
local entries, score, name = walk(KEYS[1], first, tonumber(ARGV[3]))
local answer = { score, name }
for i = 1, #entries, 2 do
  answer[#answer + 1] = entries[i]
end
return answer
