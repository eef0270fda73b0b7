-- include: grace

-- Redis keeps the index that the sweep walks this long behind its last entry, ms.
local DAY = 86400000

-- Indexes are kept to the end of the span, ms, in which their last entry ends: a touch need not look after them each time.
local SPAN = 600000

-- Makes Redis keep a key for at least this long, and a quarter more so that it need not be done often. Answers for how
-- long it would have been kept, less than 0 for a new key.
local function keep(key, ms)
  local kept = redis.call('PTTL', key)
  if kept < ms then
    redis.call('PEXPIRE', key, math.floor(math.max(ms, 0) * 1.25) + GRACE)
  end
  return kept
end

-- Lists a client of a realm, at least for as long as Redis keeps its index. All have one score, later than any clock, and so the
-- entry need not be written again before the index is.
local function list_client(all, client, index)
  redis.call('ZADD', all, '9007199254740991', client)
  keep(all, redis.call('PTTL', index))
end
