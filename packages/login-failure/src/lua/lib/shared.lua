-- What sites agree on of a record. src/shared-failures.ts is the same in TypeScript. Beside the record, in `xs`: G the stamp of the latest
-- clear, f:<site> what each site has counted since, E the locks as they were set, W the count and the locks as they were written, I
-- lastFailureAt and its address, x expiresAt, q the policy. The record itself stays what it is without sites: it holds the sum.

local function text(number)
  return string.format('%.0f', number)
end

local function name_in(key)
  return string.match(key, '^(.*{%x%x}:)(.*)$')
end

local function stamps_of(key)
  local head, name = name_in(key)
  local fields, stamps = redis.call('HGETALL', head .. 'xs:' .. name), {}
  for i = 1, #fields, 2 do
    stamps[fields[i]] = fields[i + 1]
  end
  return stamps
end

local function locks_text(t, u, p, w)
  return text(t) .. ' ' .. text(u) .. ' ' .. text(p) .. ' ' .. w
end

local function nothing_since(g)
  return { g = g, f = {}, t = 0, u = 0, p = 0, w = '', l = 0, i = '', x = 0, q = '' }
end

-- A record with its stamps. Values: n, t, o, l, u, p, x, w, i as texts; nil for none. Less than was known, or a removal, is a clear: it is
-- stamped now, at `at`, or a moment behind the one before. Nil when sites hold nothing of it.
local function state_of(values, stamps, at, site, now, removed, policy)
  local g, counts, others_n, others_o = stamps.G or '', {}, 0, 0
  for field, value in pairs(stamps) do
    local of = string.match(field, '^f:(.*)$')
    if of then
      local n, o = string.match(value, '^(%d+) (%d+)$')
      counts[of] = { tonumber(n), tonumber(o) }
      if of ~= site then
        others_n, others_o = others_n + n, others_o + o
      end
    end
  end
  local function clear()
    g = string.format('%015.0f', math.max(at, (tonumber(string.sub(g, 1, 15)) or 0) + 1)) .. site
    counts, others_n, others_o = {}, 0, 0
  end
  if values and tonumber(values[7]) <= now then
    values = nil
  end
  local mine = counts[site] or { 0, 0 }
  if removed or (not values and tonumber(stamps.x or '0') > now)
    or (values and (tonumber(values[1]) < others_n + mine[1] or tonumber(values[3]) < others_o + mine[2])) then
    clear()
  end
  if not values then
    return g ~= '' and nothing_since(g) or nil
  end
  local n, t, o, l, u, p, x = unpack(values, 1, 7) -- at most 7
  local w, i = values[8], values[9]
  if n - others_n > 0 or o - others_o > 0 then
    counts[site] = { n - others_n, o - others_o }
  end
  local state = { g = g, f = counts, l = tonumber(l), i = '', x = tonumber(x), q = policy ~= '' and policy or stamps.q or '' }
  state.t, state.u, state.p = tonumber(t), tonumber(u), tonumber(p)
  local same_g = stamps.G == (g ~= '' and g or nil)
  -- Of two addresses of one millisecond that of the later failure stands.
  local known_l, known_i = string.match(stamps.I or '', '^(%d+) (.*)$')
  if same_g and known_l == text(state.l) and string.sub(known_i, 11) == i then
    state.i = known_i
  elseif i ~= '' then
    state.i = string.format('%010.0f', tonumber(n)) .. i
  end
  local set_t, set_u, set_p, set_w = string.match(stamps.E or '', '^(%d+) (%d+) (%d+) (.*)$')
  if set_t and same_g and stamps.W == n .. ' ' .. locks_text(t, u, p, w) then
    state.t, state.u, state.p, state.w = tonumber(set_t), tonumber(set_u), tonumber(set_p), set_w
  elseif w == '' then
    state.w = ''
  elseif set_w and string.sub(set_w, 33) == w and same_g then
    state.w = set_w
  else
    state.w = string.format('%016.0f%016.0f', state.p, state.u) .. w
  end
  return state
end

local function higher_text(a, b)
  return (a == b or follows(a, b)) and a or b
end

local function joined_of(a, b)
  if not a or not b then
    return a or b
  end
  if a.g ~= b.g then
    return follows(a.g, b.g) and a or b
  end
  local f = {}
  for site, counts in pairs(a.f) do
    local other = b.f[site] or { 0, 0 }
    f[site] = { math.max(counts[1], other[1]), math.max(counts[2], other[2]) }
  end
  for site, counts in pairs(b.f) do
    f[site] = f[site] or counts
  end
  local last = (a.l > b.l or (a.l == b.l and higher_text(a.i, b.i) == a.i)) and a or b
  return {
    g = a.g, f = f, t = math.max(a.t, b.t), u = math.max(a.u, b.u), p = math.max(a.p, b.p), w = higher_text(a.w, b.w),
    l = last.l, i = last.i, x = math.max(a.x, b.x), q = higher_text(a.q, b.q),
  }
end

-- What a record says of it, as {n, t, o, l, u, p, x, w, i}; nil for no failures. Failures of several sites lock together as those of one do
-- (record-failure.lua), where none of them has locked since the latest clear: the next threshold is found with the next failure.
local function record_of(state)
  local n, o = 0, 0
  for _, counts in pairs(state.f) do
    n, o = n + counts[1], o + counts[2]
  end
  if n <= 0 and o <= 0 then
    return nil
  end
  local t, u, p, x, w = state.t, state.u, state.p, state.x, string.sub(state.w, 33)
  local factor, _, _, permanent, strategy, most, increment, _, longest, secondary =
    string.match(state.q, '^(%d+) (%d+) (%d+) (%d) (%a) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  if factor and t == 0 and p == 0 then
    factor, most, secondary, permanent = tonumber(factor), tonumber(most), tonumber(secondary), permanent == '1'
    local pure = permanent and most == 0
    local steps = strategy == 'L' and 1 + n - factor or math.floor(n / factor)
    local wait = pure and 0 or math.min(tonumber(longest), increment * steps)
    if wait > 0 then
      t, w = 1, 'failures'
      if not permanent or t <= most then
        u = math.min(NEVER, math.max(u, state.l + wait))
      end
    end
    if secondary > 0 and o > secondary then
      p, w = math.max(state.l, 1), 'secondary-auth-failures'
    elseif permanent and (t > most or (pure and n >= factor)) then
      p, w = math.max(state.l, 1), 'failures'
    end
  end
  x = p > 0 and NEVER or math.max(x, u)
  return { n, t, o, state.l, u, p, x, w, string.sub(state.i, 11) }
end
