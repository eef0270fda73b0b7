-- Change the state and merge changes into the notes of a session.
--
-- KEYS[1] session   hash: t times, d data as JSON, with n notes and s state
-- ARGV[1] now       ms since the epoch
-- ARGV[2] life      spans of the session, ms
-- ARGV[3] state     its number, - to take it away, empty to leave it
-- ARGV[4] notes     JSON of a merge patch
-- ARGV[5] maxBytes  ceiling on the notes
-- ARGV[6] layout    to write in
--
-- Returns all values of the record, nil when it is gone, 'too large' when the notes would be.

-- include: lag, times, spans, life, settling, opening, notes
local now = tonumber(ARGV[1])
local t, lives = open(KEYS[1], ARGV[2], now, ARGV[6])
if not t then
  return false
end

local json, links_text = string.match(redis.call('HGET', KEYS[1], 'd') or '', '^(.*})([^}]*)$')
local readable, data = pcall(cjson.decode, json)
if not readable then
  return false
end
local notes = data.n or {}
if merge_notes(notes, cjson.decode(ARGV[4])) > tonumber(ARGV[5]) then
  return 'too large'
end
data.n = next(notes) ~= nil and notes or nil
if ARGV[3] == '-' then
  data.s = nil
elseif ARGV[3] ~= '' then
  data.s = ARGV[3]
end
redis.call('HSET', KEYS[1], 'd', cjson.encode(data) .. links_text)
settle(KEYS[1], t, now, lives.idle)
--@ changed('user-session', KEYS[1], 'full')
return redis.call('HVALS', KEYS[1])
