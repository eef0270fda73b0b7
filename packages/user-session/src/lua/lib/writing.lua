-- Redis keeps a record this long behind its end, ms.
local GRACE = 60000

-- Redis keeps the index that the sweep walks this long behind its last entry, ms.
local DAY = 86400000

-- Makes Redis keep a key for at least this long.
local function keep(key, ms)
  ms = math.max(ms, GRACE)
  if redis.call('PTTL', key) < ms then
    redis.call('PEXPIRE', key, ms)
  end
end

-- Puts an entry into an index, and takes a few dead ones out.
local function enter(index, member, score, now)
  redis.call('ZADD', index, score, member)
  keep(index, score - now + SLACK + GRACE)
  local dead = redis.call('ZRANGEBYSCORE', index, '-inf', now - SLACK, 'LIMIT', 0, 3)
  if #dead > 0 then
    redis.call('ZREM', index, unpack(dead))
  end
end

-- Text of a field of times.
local function text_of(t)
  local text = string.format('%.0f %.0f %.0f %.0f', t.started, t.refreshed, t.expires, t.score)
  return t.remember and text .. 'r' or text
end

-- Scores a client session in its indexes. It counts no longer than its user session.
local function index_client(key, client, c, t, now)
  local head, kind, _, realm, id = parts(key)
  c.score = math.min(c.expires, t.expires)
  enter(head .. kind .. 'c:' .. realm .. ':' .. client, id, c.score, now)
  local all = head .. kind .. 'k:' .. realm
  redis.call('ZADD', all, 'GT', c.score, client)
  keep(all, c.score - now + SLACK + GRACE)
end

-- Scores a session and its living client sessions in their indexes.
local function index(key, t, now)
  local head, kind, _, realm, id = parts(key)
  local user, broker_session, broker_user = links(key)
  t.score = t.expires
  enter(head .. kind .. 'u:' .. realm .. ':' .. user, id, t.score, now)
  if broker_session ~= '' then
    enter(head .. kind .. 'i:' .. realm .. ':' .. broker_session, id, t.score, now)
  end
  if broker_user ~= '' then
    enter(head .. kind .. 'b:' .. realm .. ':' .. broker_user, id, t.score, now)
  end
  local all, due = head .. kind .. 'r:' .. realm, head .. 'ux'
  redis.call('ZADD', all, t.score, id)
  keep(all, t.score - now + DAY)
  redis.call('ZADD', due, 'LT', t.score, kind .. ':' .. realm)
  keep(due, t.score - now + DAY)
  for _, client in ipairs(clients_of(key)) do
    local c = living_client(key, client, now)
    if c and c.score ~= math.min(c.expires, t.expires) then
      index_client(key, client, c, t, now)
      redis.call('HSET', key, 't:' .. client, text_of(c))
    end
  end
end

-- Whether an index is too far from what it stands for.
local function astray(expires, score, idle)
  return score > expires or expires - score > math.min(SLACK, idle / 30)
end

-- Writes the times of a session. The indexes follow only when they are astray.
local function settle(key, t, now, idle)
  if astray(t.expires, t.score, idle) then
    index(key, t, now)
  end
  redis.call('HSET', key, 't', text_of(t))
  redis.call('PEXPIRE', key, math.max(t.expires - now, 0) + GRACE)
end

-- Writes the times of a session and of one of its client sessions.
local function settle_both(key, t, idle, client, c, client_idle, now)
  redis.call('HSET', key, 't:' .. client, text_of(c))
  settle(key, t, now, idle)
  c = times(redis.call('HGET', key, 't:' .. client))
  if astray(math.min(c.expires, t.expires), c.score, client_idle) then
    index_client(key, client, c, t, now)
    redis.call('HSET', key, 't:' .. client, text_of(c))
  end
end
