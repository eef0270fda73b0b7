-- include: joining
-- One site decides about a key. It joins what who asks knows of the token, decides, and answers what it knows then, in one step.

-- Whether who asks has the same sites as this one.
local function is_member(key, membership)
  return redis.call('GET', key) == membership
end

local function join_copy(key, copy, now, site, ends_ms, ahead_ms)
  if copy ~= '' then
    join_token(key, cjson.decode(copy), tonumber(now), site, tonumber(ends_ms), tonumber(ahead_ms))
  end
end

-- The state of a token for who asked, false for nothing. A site that decides for itself needs none.
local function state_for(asker, key, now, site, ends_ms)
  local token = asker ~= '' and token_of(key)
  if asker == '' or token == false then
    return false
  end
  local stamps, raw = stamps_of(key)
  local state = state_of(token, stamps, tonumber(now), site, tonumber(now), false)
  if not state then
    return false
  end
  write_stamps(key, raw, state, tonumber(now), tonumber(ends_ms))
  state.v = 1
  return cjson.encode(state)
end
