-- include: rank-behind
-- Rank of the first entry of an index behind a place: a score, and the digest with which members of one score begin.
local function behind(index, score, digest)
  -- No text has such a byte: behind every member that begins with the digest.
  return rank_behind(index, score, digest == '' and '' or digest .. '\255')
end
