-- include: keep, prune
-- Puts a member into an index, or scores it anew, and makes Redis keep the index for at least `ms`. Takes out what ended at `now`
-- or before; `now` is false where that is left to another one.
local function enter(index, score, member, ms, now)
  redis.call('ZADD', index, score, member)
  keep(index, ms)
  if now then prune(index, now) end
end
