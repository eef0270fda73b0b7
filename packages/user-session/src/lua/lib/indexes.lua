-- include: index-lives

-- Lets Redis forget a record some time after its end, and after its indexes, which may lag.
local function expire(key, ends, now)
  redis.call('PEXPIRE', key, math.max(ends - now, 0) + GRACE + SLACK)
end

-- The end of the span of a score, and whether the score before, 0 for none, was of the same.
local function span_of(score, known)
  local span = math.ceil(score / SPAN) * SPAN
  return span, known > span - SPAN and known <= span
end

-- Puts an entry into an index, or scores it anew; one new entry in four takes dead ones out. A score may be text: it costs
-- less than a number. Answers whether the index is new or is kept for longer than before.
local function enter(index, member, score, span, same, now)
  local added = redis.call('ZADD', index, score, member)
  if added == 0 and same then
    return false
  end
  local ms = span - now + SLACK + GRACE
  local kept = keep(index, ms)
  if added == 1 and kept > 0 and now % 4 == 0 then
    local dead = redis.call('ZRANGEBYSCORE', index, '-inf', now - SLACK, 'LIMIT', 0, 12)
    if #dead > 0 then
      redis.call('ZREM', index, unpack(dead))
    end
  end
  return kept < ms
end

-- Scores a client session in its index; `known` is the score that it had, 0 for none.
local function index_client(base, realm, id, client, score, known, now)
  local span, same = span_of(score, known)
  local index = base .. 'c:' .. realm .. ':' .. client
  if enter(index, id, score, span, same, now) or tonumber(known) == 0 then
    list_client(base .. 'k:' .. realm, client, index)
  end
end

-- Scores a session in its indexes; `known` is the score that it had, 0 for none.
local function index_session(head, kind, realm, id, user, broker_session, broker_user, score, known, now)
  local base = head .. kind
  local span, same = span_of(score, known)
  enter(base .. 'u:' .. realm .. ':' .. user, id, score, span, same, now)
  if broker_session ~= '' then
    enter(base .. 'i:' .. realm .. ':' .. broker_session, id, score, span, same, now)
  end
  if broker_user ~= '' then
    enter(base .. 'b:' .. realm .. ':' .. broker_user, id, score, span, same, now)
  end
  local all, due = base .. 'r:' .. realm, head .. 'ux'
  local added = redis.call('ZADD', all, score, id)
  if added == 1 or not same or tonumber(score) < known then
    redis.call('ZADD', due, 'LT', score, kind .. ':' .. realm)
  end
  if added == 1 or not same then
    local ms = span - now + DAY
    if keep(all, ms) < ms then
      keep(due, redis.call('PTTL', all))
    end
  end
end
