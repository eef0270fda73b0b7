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

-- Indexes are kept to the end of the span, ms, in which their last entry ends: a touch need not look after them each time.
local SPAN = 600000

-- The end of that span.
local function span_of(score)
  return math.ceil(score / SPAN) * SPAN
end

-- Puts an entry into an index, or scores it anew: `known` is the score that it had, 0 for none; one new entry in four
-- takes dead ones out. A score may be text: it costs less than a number. Answers the end of the span unless that is known.
local function enter(index, member, score, known, now)
  local added = redis.call('ZADD', index, score, member)
  local span = span_of(score)
  if added == 0 and span == span_of(known) then
    return nil
  end
  local kept = keep(index, span - now + SLACK + GRACE)
  if added == 1 and kept > 0 and now % 4 == 0 then
    local dead = redis.call('ZRANGEBYSCORE', index, '-inf', now - SLACK, 'LIMIT', 0, 12)
    if #dead > 0 then
      redis.call('ZREM', index, unpack(dead))
    end
  end
  return span
end

-- Scores a client session in its index.
local function index_client(base, realm, id, client, score, known, now)
  local span = enter(base .. 'c:' .. realm .. ':' .. client, id, score, known, now)
  if not span then
    return
  end
  local all = base .. 'k:' .. realm
  local of_client = redis.call('ZSCORE', all, client)
  if not of_client or tonumber(of_client) < span then
    -- An hour ahead, so that it need not be done often.
    redis.call('ZADD', all, span + 3600000, client)
    keep(all, span - now + 3600000 + SLACK)
  end
end

-- Scores a session in its indexes.
local function index_session(head, kind, realm, id, user, broker_session, broker_user, score, known, now)
  local base = head .. kind
  enter(base .. 'u:' .. realm .. ':' .. user, id, score, known, now)
  if broker_session ~= '' then
    enter(base .. 'i:' .. realm .. ':' .. broker_session, id, score, known, now)
  end
  if broker_user ~= '' then
    enter(base .. 'b:' .. realm .. ':' .. broker_user, id, score, known, now)
  end
  local all, due = base .. 'r:' .. realm, head .. 'ux'
  local added = redis.call('ZADD', all, score, id)
  if added == 1 or tonumber(score) < known then
    redis.call('ZADD', due, 'LT', score, kind .. ':' .. realm)
  end
  local span = span_of(score)
  if added == 1 or span ~= span_of(known) then
    local ms = span - now + DAY
    if keep(all, ms) < ms then
      keep(due, redis.call('PTTL', all))
    end
  end
end
