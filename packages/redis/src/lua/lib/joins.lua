-- include: follows
-- What joins of several sites are made of. packages/spi/src/joins.ts is the same in TypeScript.

-- The higher of two, part by part.
local function higher(a, b)
  if not a or not b then
    return a or b
  end
  for i, part in ipairs(a) do
    if part ~= b[i] then
      return follows(part, b[i]) and a or b
    end
  end
  return a
end

-- The later of two texts.
local function later(a, b)
  return (not a or (b and follows(b, a))) and b or a
end

-- The larger of two numbers as texts.
local function larger(a, b)
  return (not a or (b and tonumber(b) > tonumber(a))) and b or a
end
