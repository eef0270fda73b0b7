-- include: shared, beside
-- Writes what is known beside the record; answers whether any of it is new.
local function write_stamps(key, stamps, state, values, now, ends_ms)
  local head, name = name_in(key)
  local beside, flat = head .. 'xs:' .. name, { G = state.g ~= '' and state.g or nil }
  if values then
    for site, counts in pairs(state.f) do
      flat['f:' .. site] = text(counts[1]) .. ' ' .. text(counts[2])
    end
    flat.E = locks_text(state.t, state.u, state.p, state.w)
    flat.W = text(values[1]) .. ' ' .. locks_text(values[2], values[5], values[6], values[8])
    flat.I = text(state.l) .. ' ' .. state.i
    flat.x, flat.q = text(values[7]), state.q ~= '' and state.q or nil
  end
  local is_new = write_beside(beside, stamps, flat)
  if is_new then
    local ends = now + ends_ms
    if values then
      ends = math.max(tonumber(values[7]), ends)
    end
    if ends < NEVER then
      redis.call('PEXPIRE', beside, text(ends - now + GRACE))
    else
      redis.call('PERSIST', beside)
    end
    local index = head .. 'xl'
    redis.call('ZADD', index, text(ends), name)
    redis.call('ZREMRANGEBYSCORE', index, '-inf', text(now))
    keep_longest(index, now)
  end
  return is_new
end
