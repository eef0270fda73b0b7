-- List members of living sessions of a user behind a place, looking at a hundred more than are wanted: first those of the index of
-- users, by their digests, with those of users of the same tag, then those of the index that the first format had for each user.
--
-- KEYS[1] index        zset: tags of users and members of their sessions, all of one score
-- KEYS[2] former       zset: members of the user's sessions, scored by expiresAt
-- KEYS[3] realm        zset: members of the realm's sessions, scored by a minute more than their expiresAt at most
-- ARGV[1] now          ms since the epoch
-- ARGV[2] afterScore   of the place, 0 in the index of users
-- ARGV[3] afterDigest  of the place, empty at first
-- ARGV[4] limit        members wanted
-- ARGV[5] tag          of the user
--
-- Returns {score, digest of the last one looked at or empty at the end, member, score...}.

-- include: of-users, living
local now, wanted = tonumber(ARGV[1]), tonumber(ARGV[4])
local is_alive = living_in(KEYS[3], now)
local answer = { ARGV[2], ARGV[3] }
local looked, found = 0, 0
local function take(member, score)
  answer[1], answer[2] = score, string.sub(member, 1, 8)
  looked = looked + 1
  if is_alive(member, score ~= '0' and score) then
    answer[#answer + 1] = member
    answer[#answer + 1] = score
    found = found + 1
  end
end
while answer[1] == '0' do
  local members = of_users(KEYS[1], ARGV[5], answer[2], wanted)
  for _, member in ipairs(members) do
    take(member, '0')
    if found == wanted then
      return answer
    end
  end
  if looked >= wanted + 100 then
    return answer
  end
  if #members < wanted then
    break
  end
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  answer[1], answer[2] = '', ''
  return answer
end
-- include: living-behind
local entries = living_behind(KEYS[2], ARGV[1], answer[1], answer[2] .. '\255', wanted - found)
for i = 1, #entries, 2 do
  take(entries[i], entries[i + 1])
end
if #entries < 2 * (wanted - found) then
  answer[1], answer[2] = '', ''
end
return answer
