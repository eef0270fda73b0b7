-- Join what another site knows of a record with what is known here.
--
-- KEYS[1] record   hash: as record-failure writes it
-- KEYS[2] realm    zset: tails of the keys of a realm, scored by expiresAt, rounded up
-- KEYS[3] locked   zset: who is locked out, scored by when the lock ends
-- ARGV[1] now      ms since the epoch
-- ARGV[2] site     the site that this is
-- ARGV[3] state    JSON, as share answers it
-- ARGV[4] endsMs   how long a clear is remembered
-- ARGV[5] aheadMs  how far stamps may be ahead of now
-- ARGV[6] tail     the record's key behind its partition
-- ARGV[7] layout   in which a new record is written
--
-- Returns changed or same; {gone, JSON of that} when a later clear is known here; newer: a state of a version that is not known here; ahead: a
-- stamp is too far ahead; unreadable: the record here cannot be read.

local ROUND = 60000
-- include: never, longest, locked, record, follows, sharing
local now = tonumber(ARGV[1])
local told = cjson.decode(ARGV[3])
if told.v ~= 1 then
  return 'newer'
end
if (tonumber(string.sub(told.g, 1, 15)) or 0) > now + tonumber(ARGV[5]) then
  return 'ahead'
end
local before, layout = stored_record(KEYS[1])
if not before and redis.call('EXISTS', KEYS[1]) == 1 then
  return 'unreadable'
end
local stamps = stamps_of(KEYS[1])
local mine = state_of(before, stamps, now, ARGV[2], now, false, '')
local state = joined_of(mine, told)
local values = record_of(state)
if values and values[7] <= now then
  -- It has ended by itself.
  values = nil
end

local is_same = true
if not values then
  if before then
    redis.call('DEL', KEYS[1])
    redis.call('ZREM', KEYS[2], ARGV[6])
    list_lock(KEYS[3], ARGV[6], 0, now)
    is_same = false
  end
else
  local texts = {}
  for index = 1, 7 do
    texts[index] = text(values[index])
    is_same = is_same and before and tonumber(before[index]) == values[index]
  end
  texts[8], texts[9] = values[8], values[9]
  is_same = is_same and before[8] == texts[8] and before[9] == texts[9]
  values = texts
  if not is_same then
    local copy = { unpack(texts) } -- at most 9
    write_record(KEYS[1], copy, layout or ARGV[7], layout)
    local x, u = tonumber(texts[7]), tonumber(texts[5])
    local score = math.ceil(x / ROUND) * ROUND
    if x < NEVER then
      redis.call('PEXPIRE', KEYS[1], text(score - now + GRACE))
    else
      redis.call('PERSIST', KEYS[1])
    end
    redis.call('ZADD', KEYS[2], text(score), ARGV[6])
    keep_longest(KEYS[2], now)
    list_lock(KEYS[3], ARGV[6], tonumber(texts[6]) > 0 and NEVER or u, now)
  end
end
local is_new = write_stamps(KEYS[1], stamps, values and state or nothing_since(state.g), values, now, tonumber(ARGV[4]))
if not values and told.x > 0 and told.g ~= state.g then
  local cleared = nothing_since(state.g)
  cleared.v = 1
  return { 'gone', cjson.encode(cleared) }
end
return (not is_same or is_new) and 'changed' or 'same'
