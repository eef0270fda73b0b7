-- A mark is the latest instant at which a removal can have begun, millionths of a second, and behind the point 0, who began
-- it, and its count there; of one that several nodes began, the instant alone.
local function parts_of_mark(mark)
  local latest, node, count = string.match(mark, '^(%d+)%.0(%d%d%d%d%d%d%d%d)(%d+)$')
  return tonumber(latest or mark) or 0, node, tonumber(count)
end

-- Whether something began before a removal, as far as anybody can tell. A beginning is the earliest instant that it can
-- have been, and behind it the process that was asked and the count there, if that is known, and a if the credentials were
-- checked before that.
local function began_before_parts(beginning, latest, node_of_mark, count_of_mark)
  local earliest, node, count, before = string.match(beginning, '^(%d+) ?(%d*) ?(%d*) ?(a?)$')
  if not earliest then
    return true
  end
  if node ~= '' and node == node_of_mark then
    if (tonumber(count) or 0) < count_of_mark then
      return true
    end
    if before == '' then
      return false
    end
  end
  return latest >= tonumber(earliest)
end

local function began_before(beginning, mark)
  return began_before_parts(beginning, parts_of_mark(mark))
end
