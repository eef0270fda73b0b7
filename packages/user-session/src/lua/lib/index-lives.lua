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
