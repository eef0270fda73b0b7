-- include: joins
-- What sites agree on of a root: d stamp of the birth of the latest one that ended, c the root. A stamp has 15 digits of a hybrid clock, ms
-- since the epoch, and the site. src/site-root.ts is the same in TypeScript.

-- Two maps in one: of a name that both have, what `pick` makes of both.
local function merged(a, b, pick)
  local all = {}
  for _, parts in ipairs({ a or {}, b or {} }) do
    for name, part in pairs(parts) do
      all[name] = pick(all[name], part)
    end
  end
  return all
end

-- One tab as two sites have it.
local function tab_of(a, b)
  if not a then
    return b
  end
  return { h = later(a.h, b.h), p = larger(a.p, b.p), f = merged(a.f, b.f, higher) }
end

-- Of two ends the longer, unless one was written knowing that somebody had shortened it.
local function end_of(a, b)
  if a[1] == b[1] and a[2] ~= b[2] then
    return larger(a[2], b[2]) == a[2] and a or b
  end
  return higher(a, b)
end

-- One root as two sites have it. A tab that was removed never comes back.
local function root_of(a, b)
  local r = merged(a.r, b.r, later)
  local t = merged(a.t, b.t, tab_of)
  for tab in pairs(r) do
    t[tab] = nil
  end
  return { b = a.b, c = later(a.c, b.c), s = larger(a.s, b.s), x = end_of(a.x, b.x), t = t, r = r }
end

-- The laws of a join: the order in which states meet, and how often, does not matter.
local function joined_of(a, b)
  if not a or not b then
    return a or b
  end
  local d, c = later(a.d, b.d), a.c
  if not c or not b.c then
    c = c or b.c
  elseif c.b == b.c.b then
    c = root_of(c, b.c)
  else
    local is_later = follows(b.c.b, c.b)
    d = later(d, is_later and c.b or b.c.b)
    c = is_later and b.c or c
  end
  if c and d and not follows(c.b, d) then
    c = nil
  end
  return { d = d, c = c }
end
