-- Byte by byte: the order of Redis, whatever the locale.
local function follows(a, b)
  for i = 1, #a do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return not y or x > y
    end
  end
  return false
end
