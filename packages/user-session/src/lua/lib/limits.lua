-- Sessions that one run ends at most: everybody else waits for it.
local ENDED_AT_ONCE = 100

-- Living sessions of a user besides one, online and offline as far as a limit asks for them. Own: u or o and its id.
local function rivals(head, realm, user, own_kind, own_id, client, wanted, now)
  local found = {}
  for _, kind in ipairs(wanted) do
    local sessions = head .. kind .. 's:' .. realm .. ':'
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', head .. kind .. 'u:' .. realm .. ':' .. user, now - SLACK, '+inf')) do
      local key = sessions .. id
      local t = not (kind == own_kind and id == own_id) and living(key, now)
      if t then
        local at_client = kind == 'u' and client ~= '' and living_client(key, client, now)
        found[#found + 1] = { id = id, key = key, offline = kind == 'o', started = t.started, refreshed = t.refreshed, at_client = at_client }
      end
    end
  end
  return found
end

-- Ends sessions so that a newcomer fits: src/limits.ts says by which rule. Adds: online, offline or client. Puts those that
-- ended behind an answer, each as {u or o, ended}. Answers why the newcomer is refused; 'more' when there are so many to
-- end that it has to be asked again.
local function make_room(key, adds, user, client, limits, now, answer, tell)
  local per_user, per_client, offline, total, policy = string.match(limits, '^(%d+) (%d+) (%d+) (%d+) (.*)$')
  local head, kind, _, realm, own_id = parts(key)
  local applied = {}
  local function apply(reason, allowed, counts)
    if allowed ~= '0' then
      applied[#applied + 1] = { reason = reason, allowed = tonumber(allowed), counts = counts }
    end
  end
  if client ~= '' and kind == 'u' then
    apply('client-limit', per_client, function(rival) return rival.at_client end)
  end
  if adds == 'online' then
    apply('user-limit', per_user, function(rival) return not rival.offline end)
  elseif adds == 'offline' then
    apply('offline-limit', offline, function(rival) return rival.offline end)
  end
  if adds ~= 'client' then
    apply('total-limit', total, function() return true end)
  end
  if #applied == 0 then
    return nil
  end

  local both = applied[#applied].reason == 'total-limit'
  local found = rivals(head, realm, user, kind, own_id, client, both and { 'u', 'o' } or { kind }, now)
  local age = policy == 'end-oldest' and 'started' or 'refreshed'
  table.sort(found, function(a, b)
    if a[age] ~= b[age] then
      return a[age] < b[age]
    end
    if a.id ~= b.id then
      return follows(b.id, a.id)
    end
    return b.offline and not a.offline
  end)

  local ends = {}
  for _, limit in ipairs(applied) do
    local excess, may_end = 1 - limit.allowed, {}
    for _, rival in ipairs(found) do
      if not rival.ends and limit.counts(rival) then
        excess = excess + 1
        if policy ~= 'reject' and rival.id ~= own_id then
          may_end[#may_end + 1] = rival
        end
      end
    end
    if excess > #may_end then
      return limit.reason
    end
    for i = 1, excess do
      may_end[i].ends = true
      ends[#ends + 1] = may_end[i]
    end
  end
  --@details reason = 'limit'
  for i = 1, math.min(#ends, ENDED_AT_ONCE) do
    answer[#answer + 1] = { ends[i].offline and 'o' or 'u', drop(ends[i].key, tell) }
  end
  return #ends > ENDED_AT_ONCE and 'more' or nil
end
