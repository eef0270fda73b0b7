-- include: raise
-- Ends the refresh tokens of a realm that belong to no stored session. What is written is an instant, millionths of a second: a
-- token of an unknown family is gone when it was issued before that millisecond. Behind it are how many removals there were and the
-- mark of the last: a family holds all of it as it was when it rotated, and is gone when it is another.
local function end_tokens(key, mark, ms)
  local before, removals, last = string.match(redis.call('GET', key) or '', '^(%d+):(%d+):(.*)$')
  if last ~= mark then
    local latest = math.max(parts_of_mark(mark), tonumber(before) or 0)
    redis.call('SET', key, string.format('%.0f:%.0f:', latest, (tonumber(removals) or 0) + 1) .. mark, 'PX', ms)
  end
end
