-- include: follows
-- Rank of the first entry of an index behind a place. Of entries of one score their digests decide, with which members begin.
local function behind(index, score, digest)
  local first = redis.call('ZCOUNT', index, '-inf', '(' .. score)
  local last = first + redis.call('ZCOUNT', index, score, score)
  while first < last do
    local middle = math.floor((first + last) / 2)
    if follows(string.sub(redis.call('ZRANGE', index, middle, middle)[1], 1, 8), digest) then
      last = middle
    else
      first = middle + 1
    end
  end
  return first
end
