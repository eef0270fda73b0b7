-- Count the living sessions of a realm, looking at a hundred records at most.
--
-- One that is scored more than a minute away is alive; of the others their records say it.
--
-- KEYS[1] realm        zset: members of the realm's sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now          ms since the epoch
-- ARGV[2] afterScore   of the place, 0 at first
-- ARGV[3] afterDigest  of the place, empty at first
--
-- Returns the count when that is all, else {count, score, digest}: where to go on.

-- include: lag
local soon = ARGV[1] + LAG
local count = 0
if ARGV[3] == '' then
  local text = string.format('%.0f', soon)
  count = redis.call('ZCOUNT', KEYS[1], '(' .. text, '+inf')
  if redis.call('ZCOUNT', KEYS[1], '(' .. ARGV[1], text) == 0 then
    return count
  end
end

-- include: living-behind, living
local is_alive = living_in(KEYS[1], tonumber(ARGV[1]))
local entries = living_behind(KEYS[1], ARGV[1], ARGV[2], ARGV[3] .. '\255', 100)
for i = 1, #entries, 2 do
  if tonumber(entries[i + 1]) > soon then
    return count
  end
  if is_alive(entries[i], entries[i + 1]) then
    count = count + 1
  end
end
if #entries < 200 then
  return count
end
return { count, entries[200], string.sub(entries[199], 1, 8) }
