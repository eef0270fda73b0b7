-- Redis keeps a record this long behind its end, and as much again as an index may lag, ms.
local GRACE = 60000

-- Lets Redis forget a record some time after its end.
local function expire(key, ends, now)
  redis.call('PEXPIRE', key, math.max(ends - now, 0) + GRACE + SLACK)
end

-- Redis keeps the index that the sweep walks this long behind its last entry, ms.
local DAY = 86400000

-- Makes Redis keep a key for at least this long, and a quarter more so that it need not be done often. Answers for how
-- long it would have been kept, less than 0 for a new key.
local function keep(key, ms)
  local kept = redis.call('PTTL', key)
  if kept < ms then
    redis.call('PEXPIRE', key, math.floor(math.max(ms, 0) * 1.25) + GRACE)
  end
  return kept
end

-- Puts an entry into an index; one new entry in four takes dead ones out. A score may be text: it costs less than a number.
local function enter(index, member, score, now)
  local added = redis.call('ZADD', index, score, member)
  local kept = keep(index, score - now + SLACK + GRACE)
  if added == 1 and kept > 0 and now % 4 == 0 then
    local dead = redis.call('ZRANGEBYSCORE', index, '-inf', now - SLACK, 'LIMIT', 0, 12)
    if #dead > 0 then
      redis.call('ZREM', index, unpack(dead))
    end
  end
end

-- Scores a client session in its index.
local function index_client(base, realm, id, client, score, now)
  enter(base .. 'c:' .. realm .. ':' .. client, id, score, now)
  local all = base .. 'k:' .. realm
  local known = redis.call('ZSCORE', all, client)
  if not known or tonumber(known) < tonumber(score) then
    -- An hour ahead, so that it need not be done often.
    redis.call('ZADD', all, score + 3600000, client)
    keep(all, score - now + 3600000 + SLACK)
  end
end

-- Scores a session in its indexes.
local function index_session(head, kind, realm, id, user, broker_session, broker_user, score, now)
  local base = head .. kind
  enter(base .. 'u:' .. realm .. ':' .. user, id, score, now)
  if broker_session ~= '' then
    enter(base .. 'i:' .. realm .. ':' .. broker_session, id, score, now)
  end
  if broker_user ~= '' then
    enter(base .. 'b:' .. realm .. ':' .. broker_user, id, score, now)
  end
  local all, due, place = base .. 'r:' .. realm, head .. 'ux', kind .. ':' .. realm
  redis.call('ZADD', all, score, id)
  redis.call('ZADD', due, 'LT', score, place)
  if keep(all, score - now + DAY) < score - now + DAY then
    keep(due, redis.call('PTTL', all))
  end
end
