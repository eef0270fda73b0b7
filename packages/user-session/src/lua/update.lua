-- Change the state and merge changes into the notes of a session.
--
-- KEYS[1] session   hash: _v, t times, n notes as JSON, s state
-- ARGV[1] now       ms since the epoch
-- ARGV[2] life      spans of the session, ms
-- ARGV[3] state     its number, - to take it away, empty to leave it
-- ARGV[4] notes     JSON of a merge patch
-- ARGV[5] maxBytes  ceiling on the notes
--
-- Returns all fields of the record, nil when it is gone, 'too large' when the notes would be.

-- include: times, keys, reading, life, indexes, settling, opening, notes
local now = tonumber(ARGV[1])
local t, lives = open(KEYS[1], ARGV[2], now)
if not t then
  return false
end

if ARGV[4] ~= '{}' then
  local readable, notes = pcall(cjson.decode, redis.call('HGET', KEYS[1], 'n') or '{}')
  if not readable then
    return false
  end
  if merge_notes(notes, cjson.decode(ARGV[4])) > tonumber(ARGV[5]) then
    return 'too large'
  end
  if next(notes) == nil then
    redis.call('HDEL', KEYS[1], 'n')
  else
    redis.call('HSET', KEYS[1], 'n', cjson.encode(notes))
  end
end
if ARGV[3] == '-' then
  redis.call('HDEL', KEYS[1], 's')
elseif ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 's', ARGV[3])
end
settle(KEYS[1], t, now, lives.idle)
return redis.call('HGETALL', KEYS[1])
