-- include: sharing

local function count_of(uses)
  local count = 0
  for _ in pairs(uses or {}) do
    count = count + 1
  end
  return count
end

local function is_ahead(stamp, limit)
  return stamp ~= nil and (tonumber(string.sub(stamp, 1, 15)) or math.huge) > limit
end

-- Joins what another site knows of a token with what is known here. Answers what came of it as SiteJoiner says, and what is held now,
-- nil for nothing.
local function join_token(key, told, now, site, ends_ms, ahead_ms)
  if told.v ~= 1 then
    return 'newer'
  end
  local limit = now + ahead_ms
  local ahead = is_ahead(told.d, limit) or (told.c and (is_ahead(told.c[1], limit) or is_ahead(told.c[2], limit)))
  for _, use in pairs(told.u or {}) do
    ahead = ahead or is_ahead(use[1], limit)
  end
  if ahead then
    return 'ahead'
  end
  local token = token_of(key)
  if token == false then
    return 'unreadable'
  end
  local stamps, raw = stamps_of(key)
  local mine = state_of(token, stamps, now, site, now, false)
  local heard = { d = told.d, e = told.e, c = told.c, u = told.u }
  local told_last = told.c and tonumber(last_of(told)) or 0
  if told_last + MARGIN <= now then
    -- What has ended counts no more: its key may be stored again.
    heard.c, heard.u = nil, nil
  end
  if heard.d and tonumber(heard.e) <= now then
    heard.d, heard.e = nil, nil
  end
  if not heard.d and not heard.c then
    return 'same', mine
  end
  local state = joined_of(mine, heard)
  state.e = state.d and larger(state.e, stamps.most)
  if state.c and tonumber(last_of(state)) <= now then
    -- It ended by itself, and what it once took the place of with it.
    local c = state.c
    state = { d = later(state.d, c[1]), e = larger(larger(state.e, stamps.most), mine and mine.c and mine.c[3]) }
  end

  -- Who joins a family that was revoked is refused, wherever it was stored: as if it had been removed right when it was born, so that
  -- every site says the same.
  if state.c and not state.u and state.c[4] ~= '' then
    local head, name = name_in(key)
    local refused = head .. 'ax:' .. string.match(name, '^ao:([^:]*):')
    if tonumber(redis.call('ZSCORE', refused, state.c[4]) or '0') > now then
      state = { d = state.c[1], e = larger(larger(state.e, stamps.most), state.c[3]) }
    end
  end

  local is_same = true
  if state.c then
    is_same = put_token(key, token, state, now)
  elseif token then
    take_out(key, token)
    is_same = false
  end
  local is_new = write_stamps(key, raw, state, now, ends_ms)
  if count_of(state.u) > 1 and count_of(mine and mine.u) < 2 then
    local head, name = name_in(key)
    -- Found once per site; a node of this site sees to what follows from it.
    redis.call('ZADD', head .. 'xc', text(now), 'single-use-conflict ' .. name)
  end
  -- Whoever told it does not know yet of what took it away.
  local is_gone = heard.c and not state.c and told_last > now
  for id in pairs(heard.u or {}) do
    is_gone = is_gone or (told_last > now and not (state.u and state.u[id]))
  end
  if is_gone then
    return 'gone', state
  end
  return (not is_same or is_new) and 'changed' or 'same', state
end
