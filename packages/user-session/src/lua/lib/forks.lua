-- Uses of refresh tokens, as sites tell each other of them: one token that was exchanged at two sites is found out by these. A use is
-- "at:maxReuse:startedAt:presented:successor": at in 15 digits, startedAt of the client session. The latest few of a family are remembered.

-- The use that a family of a record tells of; nil where it ended, or was written while no site was told.
local function use_of(family, started)
  local uses, stale, presented, successor, rotated, most = string.match(family, '^(%d+):(%d+):([^:]*):([^:]*):[^:]*:(%d*):(%d+)')
  if not most or uses == '0' then
    return nil
  end
  return string.format('%015.0f', tonumber(rotated == '' and stale or rotated)) .. ':' .. most .. ':' .. started .. ':' .. presented .. ':' .. successor
end

-- The uses of a family that are noted beside a record.
local function uses_in(stamps, field)
  local noted = stamps['u' .. string.sub(field, 2)]
  return noted and cjson.decode(noted[2]) or {}
end

-- All uses that two sites know, the latest first. Four are remembered, and more where more are allowed.
local function uses_joined(_, a, b)
  if not a or not b then
    return a or b
  end
  local all, seen, most = {}, {}, 0
  for _, uses in ipairs({ a, b }) do
    for _, use in ipairs(uses) do
      if not seen[use] then
        seen[use] = true
        all[#all + 1] = use
        most = math.max(most, tonumber(string.match(use, '^%d+:(%d+):')))
      end
    end
  end
  table.sort(all, function(x, y) return x ~= y and follows(x, y) end)
  for i = #all, 5 + math.min(most, 8), -1 do
    all[i] = nil
  end
  return all
end

-- By the token that was presented: its successors, how often it may be presented again, and of which client sessions it was.
local function presentations(uses)
  local of = {}
  for _, use in ipairs(uses) do
    local most, started, presented, successor = string.match(use, '^%d+:(%d+):(%d+):([^:]*):([^:]*)$')
    local known = of[presented] or { most = tonumber(most), count = 0, successors = {}, started = {} }
    known.most = math.min(known.most, tonumber(most))
    known.count = known.count + (known.successors[successor] and 0 or 1)
    known.successors[successor], known.started[started] = true, true
    of[presented] = known
  end
  return of
end

-- What the uses make of a family: ended where one token was exchanged too often, and of which client sessions that was. Else each
-- successor of a token that two sites exchanged may be exchanged once.
local function settled_family(family, uses)
  local of, again = presentations(uses), {}
  local used, stale, presented, newest, rest, most = string.match(family, '^(%d+):(%d+):([^:]*):([^:]*)(:[^:]*:%d*):(%d+)')
  if not most or used == '0' then
    return family
  end
  for _, known in pairs(of) do
    if known.count > 1 + known.most then
      return '0:' .. stale .. ':::', known.started
    end
  end
  for _, use in ipairs(uses) do
    local token, successor = string.match(use, '([^:]*):([^:]*)$')
    if of[token].count > 1 and not of[successor] then
      again[#again + 1] = ':' .. successor
    end
  end
  local count = math.max(tonumber(used), of[presented] and of[presented].count or 0)
  return text(count) .. ':' .. stale .. ':' .. presented .. ':' .. newest .. rest .. ':' .. most .. table.concat(again)
end

-- Ends a client session, and all its families, right behind what began it.
local function end_forked(state, client)
  state.c[client] = { state.c[client][1] .. '!', '-' }
  for field, part in pairs(state.f) do
    local stale = string.match(part[2], '^[1-9]%d*:(%d+):')
    if stale and string.match(field, '^f:([^:]*):') == client then
      state.f[field] = { part[1], '0:' .. stale .. ':::' }
    end
  end
end

-- Ends what was exchanged too often, with its client session, as one site would. Answers by client whether its tokens were, and whether
-- any family is another now.
local function settle_forks(state)
  local forked, is_other = {}, false
  for field, uses in pairs(state.u or {}) do
    local part, client = state.f[field], string.match(field, '^f:([^:]*):')
    if part and part[2] ~= '-' then
      local family, started = settled_family(part[2], uses)
      is_other = is_other or family ~= part[2]
      state.f[field] = { part[1], family }
      local c = state.c[client]
      if started and c and started[c[2]] then
        end_forked(state, client)
      end
      forked[client] = forked[client] or started
    end
  end
  for field in pairs(state.u or {}) do
    local part = state.f[field]
    if not part or part[2] == '-' or string.sub(part[2], 1, 2) == '0:' then
      state.u[field] = nil
    end
  end
  return forked, is_other
end
