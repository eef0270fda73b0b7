-- Living sessions of a user besides one, with a living client session if a client is named.
local function rivals(index, own, client, now)
  local found, sessions = {}, sessions_of(index)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', index, now - SLACK, '+inf', 'LIMIT', 0, 200)) do
    local key = sessions .. id
    local t = id ~= own and living(key, now)
    if t and (client == '' or living_client(key, client, now)) then
      found[#found + 1] = { id = id, key = key, started = t.started, refreshed = t.refreshed }
    end
  end
  return found
end

-- Those that end so that one more fits, a hundred at most; nil: the newcomer is refused. Allowed 0: any number.
local function make_room(found, allowed, policy)
  local excess = #found - allowed + 1
  if allowed == 0 or excess <= 0 then
    return {}
  end
  if policy == 'reject' then
    return nil
  end
  local age = policy == 'end-oldest' and 'started' or 'refreshed'
  table.sort(found, function(a, b)
    if a[age] ~= b[age] then
      return a[age] < b[age]
    end
    return follows(b.id, a.id)
  end)
  local ends = {}
  for i = 1, math.min(excess, 100) do
    ends[i] = found[i].key
  end
  return ends
end
