-- Spans of a life: idle and max, of remember-me if they differ, and not-before, 0 for none. Max 0: no end in all.
local function spans_of(text, remember)
  local idle, max, own_idle, own_max, not_before = string.match(text, '^(%d+) (%d+) ?(%d*) ?(%d*) ?(%d*)$')
  if remember and own_idle ~= '' then
    idle, max = own_idle, own_max
  end
  return idle + 0, max + 0, not_before == '' and 0 or not_before + 0
end
