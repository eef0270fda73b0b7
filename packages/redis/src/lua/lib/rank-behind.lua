-- include: follows
-- Rank of the first entry of an index behind a place: a score, and what decides between members of one score.
local function rank_behind(index, score, place)
  local first = redis.call('ZCOUNT', index, '-inf', '(' .. score)
  local last = first + redis.call('ZCOUNT', index, score, score)
  while first < last do
    local middle = math.floor((first + last) / 2)
    if follows(redis.call('ZRANGE', index, middle, middle)[1], place) then
      last = middle
    else
      first = middle + 1
    end
  end
  return first
end
