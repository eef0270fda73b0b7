-- Merge changes into a client session.
--
-- KEYS[1] session     hash: t times, c:, a: per client
-- ARGV[1] now         ms since the epoch
-- ARGV[2] life        spans of the session, ms
-- ARGV[3] client      escaped
-- ARGV[4] clientLife  spans of the client session, ms
-- ARGV[5] patch       JSON of a merge patch
-- ARGV[6] maxBytes    ceiling on the notes
-- ARGV[7] layout      to write in
--
-- Returns all values of the record, nil when it is gone, 'too large' when the notes would be.

-- include: lag, times, keys, reading, spans, life, settling, opening, notes
local now = tonumber(ARGV[1])
local client = ARGV[3]
local t, lives = open(KEYS[1], ARGV[2], now, ARGV[7])
local c, own
if t then
  c, own = open_client(KEYS[1], client, t, lives, ARGV[4], now)
end
if not c then
  return false
end

local readable, data = pcall(cjson.decode, data_of(KEYS[1], c))
if not readable then
  return false
end
local patch = cjson.decode(ARGV[5])
local notes = data.n or {}
if merge_notes(notes, patch.n or {}) > tonumber(ARGV[6]) then
  return 'too large'
end
for name, value in pairs(patch) do
  data[name] = value ~= cjson.null and value or nil
end
data.n = next(notes) ~= nil and notes or nil

c.data = cjson.encode(data)
settle(KEYS[1], t, now, lives.idle, c, own.idle)
--@ changed('user-session', KEYS[1], 'full')
return redis.call('HVALS', KEYS[1])
