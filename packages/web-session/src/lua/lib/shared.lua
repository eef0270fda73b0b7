-- include: joins
-- What sites agree on of a session: d stamp of the birth of the latest one that another took the place of, m until when generations are
-- ended, c the session. A stamp has 15 digits of a hybrid clock, ms since the epoch, and the site. src/site-session.ts is the same in
-- TypeScript.

local function ms_in(stamp)
  return tonumber(string.sub(stamp, 1, 15)) or 0
end

-- Two maps in one: of a name that both have, what `pick` makes of both.
local function merged(a, b, pick)
  local all = {}
  for name, part in pairs(a or {}) do
    all[name] = part
  end
  for name, part in pairs(b or {}) do
    all[name] = pick(all[name], part)
  end
  return all
end

-- Of two ends the longer, unless one was written knowing that somebody had shortened it.
local function end_of(a, b)
  if a[1] ~= b[1] then
    return higher(a, b)
  end
  return { a[1], larger(a[2], b[2]) }
end

-- One session as two sites have it.
local function content_of(a, b)
  return {
    b = a.b,
    g = later(a.g, b.g),
    t = later(a.t, b.t),
    k = larger(a.k, b.k),
    x = end_of(a.x, b.x),
    s = higher(a.s, b.s),
    n = merged(a.n, b.n, larger),
    u = higher(a.u, b.u),
    a = higher(a.a, b.a),
    l = higher(a.l, b.l),
    f = merged(a.f, b.f, higher),
  }
end

-- Whether a session has ended: another took its place, or its generation was ended before it was born somewhere.
local function is_over(c, d, m)
  return d ~= nil and not follows(c.b, d) or m[c.g] ~= nil and tonumber(m[c.g]) >= ms_in(c.b)
end

-- The laws of a join: the order in which states meet, and how often, does not matter.
local function joined_of(a, b)
  if not a or not b then
    return a or b
  end
  local m, d, c = merged(a.m, b.m, larger), later(a.d, b.d), a.c
  if not c or not b.c then
    c = c or b.c
  elseif c.b == b.c.b then
    c = content_of(c, b.c)
  else
    local is_later = follows(b.c.b, c.b)
    d = later(d, is_later and c.b or b.c.b)
    c = is_later and b.c or c
  end
  if c and is_over(c, d, m) then
    d, c = later(d, c.b), nil
  end
  return { d = d, m = next(m) and m or nil, c = c }
end
