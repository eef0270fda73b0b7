-- The stamp of an end that follows from a removal of all, the same at every site: right behind what it ends.
local function fenced_stamp(stamp)
  return string.format('%015.0f', tonumber(string.sub(stamp, 1, 15)) + 1)
end
