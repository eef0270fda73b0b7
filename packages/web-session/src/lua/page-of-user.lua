-- List members of a user's sessions behind a place: first those of the index of users, by their digests, with those of users of the same tag, then those of the index that
-- the first format had for each user.
--
-- KEYS[1] index        zset: tags of users and members of their sessions, all of one score
-- KEYS[2] former       zset: members of the user's sessions, scored by expiresAt
-- ARGV[1] now          ms since the epoch
-- ARGV[2] afterScore   of the place, 0 in the index of users
-- ARGV[3] afterDigest  of the place, empty at first
-- ARGV[4] limit        members wanted
-- ARGV[5] tag          of the user
--
-- Returns {member, score...}.

-- include: of-users
local wanted = tonumber(ARGV[4])
local answer = {}
if ARGV[2] == '0' then
  for _, member in ipairs(of_users(KEYS[1], ARGV[5], ARGV[3], wanted)) do
    answer[#answer + 1] = member
    answer[#answer + 1] = '0'
  end
end
local missing = wanted - #answer / 2
if missing == 0 or redis.call('EXISTS', KEYS[2]) == 0 then
  return answer
end
-- include: living-behind
for _, text in ipairs(living_behind(KEYS[2], ARGV[1], ARGV[2], ARGV[3] .. '\255', missing)) do
  answer[#answer + 1] = text
end
return answer
