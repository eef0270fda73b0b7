-- include: rank-behind
-- Entries of an index that are scored later than `now`, behind a place, with their scores, as many as are wanted.
local function living_behind(index, now, score, place, wanted)
  local first
  if tonumber(score) <= tonumber(now) then
    first = redis.call('ZCOUNT', index, '-inf', now)
  else
    first = rank_behind(index, score, place)
  end
  return redis.call('ZRANGE', index, first, first + wanted - 1, 'WITHSCORES')
end
