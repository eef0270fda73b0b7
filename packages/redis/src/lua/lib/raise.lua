-- Raises the mark of a removal. One that two nodes raised belongs to neither, so that their clocks decide.
local function raise(key, mark, ms)
  local held = redis.call('GET', key)
  if held then
    local latest, node, count = parts_of_mark(mark)
    local held_latest, held_node, held_count = parts_of_mark(held)
    mark = string.format('%.0f', math.max(latest, held_latest))
    if node and node == held_node then
      mark = mark .. '.0' .. node .. string.format('%.0f', math.max(count, held_count))
    end
  end
  -- A full server goes on with a script that began with a write that cannot grow.
  redis.call('UNLINK', key)
  redis.call('SET', key, mark, 'PX', ms)
end
