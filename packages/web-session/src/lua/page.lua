-- List members of an index that are alive, behind a place, looking at a hundred more than are wanted.
--
-- KEYS[1] index        zset: members of sessions, scored by a minute more than their expiresAt at most
-- KEYS[2] realm        zset: members of the realm's sessions, scored alike
-- ARGV[1] now          ms since the epoch
-- ARGV[2] afterScore   of the place, 0 at first
-- ARGV[3] afterDigest  of the place, empty at first
-- ARGV[4] limit        members wanted
--
-- Returns {score, digest of the last one looked at or empty at the end, member, score...}.

-- include: living-behind, living
local now, wanted = tonumber(ARGV[1]), tonumber(ARGV[4])
local is_alive = living_in(KEYS[2], now)
local answer = { ARGV[2], ARGV[3] }
local looked, found = 0, 0
repeat
  -- No text has such a byte: behind every member that begins with the digest.
  local entries = living_behind(KEYS[1], ARGV[1], answer[1], answer[2] .. '\255', wanted)
  for i = 1, #entries, 2 do
    answer[1], answer[2] = entries[i + 1], string.sub(entries[i], 1, 8)
    if is_alive(entries[i], entries[i + 1]) then
      answer[#answer + 1] = entries[i]
      answer[#answer + 1] = entries[i + 1]
      found = found + 1
      if found == wanted then
        return answer
      end
    end
  end
  looked = looked + #entries / 2
  if #entries < 2 * wanted then
    answer[1], answer[2] = '', ''
    return answer
  end
until looked >= wanted + 100
return answer
