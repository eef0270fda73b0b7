-- Raises the mark of a removal. One that two nodes raised belongs to neither, so that their clocks decide.
local function raise(key, mark, ms)
  local held = redis.call('GET', key)
  if held then
    local latest, node, count = parts_of_mark(mark)
    local held_latest, held_node, held_count = parts_of_mark(held)
    mark = string.format('%.0f', math.max(latest, held_latest))
    if node == held_node then
      mark = mark .. '.0' .. node .. string.format('%.0f', math.max(count, held_count))
    end
  end
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('UNLINK', key)
  redis.call('SET', key, mark, 'PX', ms)
end

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
