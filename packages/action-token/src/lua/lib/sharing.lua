-- include: shared, enter, grace, beside
-- A token and its stamps. They lie beside it, in `xs`, with what the token was when it was stamped, by which a change is known; the token
-- itself stays what it is without sites.

-- How much longer stamps are kept than what they are of: clocks of sites may be apart.
local MARGIN = 600000

local function text(number)
  return string.format('%.0f', number)
end

-- What stands for a value beside its stamp.
local function digest(value)
  return #value <= 16 and '=' .. value or '#' .. string.sub(redis.sha1hex(value), 1, 16)
end

local function name_in(key)
  return string.match(key, '^(.*{%x%x}:)(.*)$')
end

-- A token as it is: nil for none, false for what cannot be read.
local function token_of(key)
  local whole = redis.call('GET', key)
  if not whole then
    return nil
  end
  local expires, family, subject, rest = string.match(whole, '^1:(%d+):([^:]*):([^:]*):(.*)$')
  local used, data = string.match(rest or '', '^(%d+:%d*:[^:]*:[^:]*:)({.*)$')
  if not expires or (not used and string.sub(rest, 1, 1) ~= '{') then
    return false
  end
  return { whole = whole, expires = expires, family = family, subject = subject, used = used, data = data or rest }
end

-- The stamps beside a token, and the fields as they are.
local function stamps_of(key)
  local head, name = name_in(key)
  local fields, raw, stamps = redis.call('HGETALL', head .. 'xs:' .. name), {}, { u = {} }
  for i = 1, #fields, 2 do
    local field, value = fields[i], fields[i + 1]
    raw[field] = value
    if field == 'D' then
      stamps.d, stamps.e = string.match(value, '^(%S+) (%S+)$')
    elseif field == 'B' then
      stamps.birth, stamps.expires, stamps.most, stamps.life = string.match(value, '^(%S+) (%S+) (%S+) (.*)$')
    elseif field == 'C' then
      stamps.stamp, stamps.data = string.match(value, '^(%S+) (.*)$')
    elseif string.sub(field, 1, 2) == 'u:' then
      stamps.u[string.sub(field, 3)] = { string.match(value, '^(%S+) (%S+) (.*)$') }
    end
  end
  return stamps, raw
end

local function life_of(token)
  return digest(token.expires .. ':' .. token.family .. ':' .. token.subject)
end

-- A token with its stamps. What changed since it was stamped last is stamped now: at `at`, or a moment behind the highest stamp that it
-- has seen. Removed: it was removed since, whatever is there now. Nil when sites hold nothing of it.
local function state_of(token, stamps, at, site, now, removed)
  local highest = 0
  local function see(stamp)
    highest = math.max(highest, tonumber(string.sub(stamp or '', 1, 15)) or 0)
  end
  see(stamps.d)
  see(stamps.birth)
  see(stamps.stamp)
  for _, use in pairs(stamps.u) do
    see(use[1])
  end
  local function fresh()
    highest = math.max(at, highest + 1)
    return string.format('%015.0f', highest) .. site
  end

  local d, e = stamps.d, stamps.e
  local is_known = stamps.birth and lives(stamps.birth, d)
  local uses, is_used, is_this_use = {}, false, false
  for id, use in pairs(stamps.u) do
    if lives(use[1], d) then
      uses[id], is_used = use, true
      is_this_use = is_this_use or (token and use[3] == token.used)
    end
  end
  local is_live = token and tonumber(token.expires) > now
  local is_same = is_live and is_known and stamps.life == life_of(token)
  local is_same_data = is_same and stamps.data == digest(token.data)
  -- What was redeemed stays so: otherwise this is another token below the same key. What is there as it was stamped was stored after it
  -- was removed.
  local is_another = is_live and is_used and not is_this_use
  local was_removed = removed and not (is_same_data and (is_this_use or not token.used))
  if is_known and (not is_live or is_another or was_removed) then
    -- Gone is what was known, and all that it once took the place of. So every site says the same of it.
    d, e = later(d, stamps.birth), larger(e, stamps.most)
    is_known, is_same, uses, is_used, is_this_use = false, false, {}, false, false
  end
  if not is_live then
    return d and tonumber(e) > now and { d = d, e = e } or nil
  end

  local birth = is_same and stamps.birth or fresh()
  local stamp = birth
  if is_same then
    stamp = is_same_data and stamps.stamp or fresh()
  end
  local expires = is_same and stamps.expires or token.expires
  if token.used and not is_this_use then
    local attempt = string.match(token.used, '^%d+:%d*:([^:]*):')
    -- Who gives no name to a try has one of its own.
    uses[attempt ~= '' and '=' .. attempt or '~' .. fresh()] = { birth, expires, token.used }
    is_used = true
  end
  return {
    d = d, e = e, u = is_used and uses or nil,
    c = { birth, stamp, expires, token.family, token.subject, token.data },
  }
end

-- Of several ways in which a token was redeemed the first stands.
local function first_of(uses)
  local first, first_id
  for id, use in pairs(uses or {}) do
    local at = tonumber(string.match(use[3], '^(%d+):'))
    local first_at = first and tonumber(string.match(first, '^(%d+):'))
    if not first or at < first_at or (at == first_at and follows(first_id, id)) then
      first, first_id = use[3], id
    end
  end
  return first or ''
end

-- The keys that name a token: of its realm, family and subject.
local function indexes_of(name, family, subject)
  local realm = string.match(name, '^ao:([^:]*):')
  local indexes = { 'ar:' .. realm }
  if family ~= '' then
    indexes[#indexes + 1] = 'af:' .. realm .. ':' .. family
  end
  if subject ~= '' then
    indexes[#indexes + 1] = 'as:' .. realm .. ':' .. subject
  end
  return indexes
end

-- Takes a token away, and tells nobody of it.
local function take_out(key, token)
  local head, name = name_in(key)
  redis.call('DEL', key)
  for _, index in ipairs(indexes_of(name, token.family, token.subject)) do
    redis.call('ZREM', head .. index, name)
  end
end

-- When a token ends: who redeemed it may not do so again for as long as any site knew it.
local function last_of(state)
  local expires = state.c[3]
  for _, use in pairs(state.u or {}) do
    expires = larger(expires, use[2])
  end
  return expires
end

-- Writes what sites agree on into the token and its indexes. Answers whether all of it was there already.
local function put_token(key, token, state, now)
  local head, name = name_in(key)
  local _, _, _, family, subject, data = unpack(state.c) -- at most 6
  local expires = last_of(state)
  local whole = '1:' .. expires .. ':' .. family .. ':' .. subject .. ':' .. first_of(state.u) .. data
  if token and token.whole == whole then
    return true
  end
  local wanted = {}
  for _, index in ipairs(indexes_of(name, family, subject)) do
    wanted[index] = true
  end
  for _, index in ipairs(token and indexes_of(name, token.family, token.subject) or {}) do
    if not wanted[index] then
      redis.call('ZREM', head .. index, name)
    end
  end
  local ms = text(math.max(redis.call('PTTL', key), tonumber(expires) - now + GRACE))
  redis.call('SET', key, whole, 'PX', ms)
  for index in pairs(wanted) do
    enter(head .. index, expires, name, ms, now % 4 == 0 and text(now))
  end
  return false
end

-- What other sites have to be told of again, when everything is: realms with tokens, and removals, which have no token.
local function remember(index, member, ends, now)
  enter(index, text(ends), member, text(math.max(ends - now, 1)), text(now))
end

-- Writes the stamps beside a token, as far as they changed. Answers whether they did.
local function write_stamps(key, raw, state, now, ends_ms)
  local head, name = name_in(key)
  local beside, flat = head .. 'xs:' .. name, {}
  local ends = 0
  if state.d then
    flat.D = state.d .. ' ' .. state.e
    ends = math.min(tonumber(state.e) + MARGIN, now + ends_ms)
  end
  if state.c then
    local c, last = state.c, last_of(state)
    -- How long another site may have something that this took the place of.
    local most = larger(last, string.match(raw.B or '', '^%S+ %S+ (%S+)'))
    flat.B = table.concat({ c[1], c[3], most, life_of({ expires = last, family = c[4], subject = c[5] }) }, ' ')
    flat.C = c[2] .. ' ' .. digest(c[6])
    for id, use in pairs(state.u or {}) do
      flat['u:' .. id] = table.concat(use, ' ')
    end
    ends = tonumber(most) + MARGIN
    local realm = string.match(name, '^ao:([^:]*):')
    local known = tonumber(redis.call('ZSCORE', head .. 'xo', realm) or '0')
    if known < ends then
      -- An hour ahead, so that it need not be done often.
      remember(head .. 'xo', realm, ends + 3600000, now)
    end
  end
  local is_new = write_beside(beside, raw, flat)
  if is_new then
    redis.call('PEXPIRE', beside, text(math.max(ends - now, 1)))
    if not state.c and ends > now then
      remember(head .. 'xg', name, ends, now)
    end
  end
  return is_new
end
