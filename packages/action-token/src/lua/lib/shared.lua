-- include: joins
-- What sites agree on of a token: d stamp of its latest removal, e until when that matters, c its content, u how it was redeemed, by
-- attempt. A stamp has 15 digits of a hybrid clock, ms since the epoch, and the site. src/shared-token.ts is the same in TypeScript.

-- Whether what was born then has outlived a removal.
local function lives(birth, d)
  return not d or (birth ~= d and follows(birth, d))
end

-- The laws of a join: the order in which states meet, and how often, does not matter.
local function joined_of(a, b)
  if not a or not b then
    return a or b
  end
  local joined = { d = later(a.d, b.d), e = larger(a.e, b.e) }
  for _, state in ipairs({ a, b }) do
    if state.c and lives(state.c[1], joined.d) then
      joined.c = higher(joined.c, state.c)
    end
    for id, use in pairs(state.u or {}) do
      if lives(use[1], joined.d) then
        joined.u = joined.u or {}
        joined.u[id] = higher(joined.u[id], use)
      end
    end
  end
  return joined
end
