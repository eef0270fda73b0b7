-- Whether an id of a note comes behind another one.
local function is_later_note(a, b)
  local ms, n = string.match(a, '^(%d+)-(%d+)$')
  local other_ms, other_n = string.match(b, '^(%d+)-(%d+)$')
  ms, n, other_ms, other_n = tonumber(ms), tonumber(n), tonumber(other_ms), tonumber(other_n)
  return ms > other_ms or (ms == other_ms and n > other_n)
end
