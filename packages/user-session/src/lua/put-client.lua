-- Add a client session, or replace what a living one holds.
--
-- KEYS[1] session     hash: t times, d data, c:, a: per client
-- ARGV[1] now         ms since the epoch
-- ARGV[2] life        spans of the session, ms
-- ARGV[3] client      escaped
-- ARGV[4] clientLife  spans of the client session, ms
-- ARGV[5] clientData  JSON
-- ARGV[6] limits      as create takes them
-- ARGV[7] layout      to write in
-- ARGV[8] tell        as create takes it
--
-- Returns {{value...} of the record, ended...}, {} when it is gone, {refusal}, or {'more', ended...} when there is more to
-- end first; ended sessions are as create answers them.

-- include: lag, times, keys, reading, spans, life, settling, opening, ending, limits
local now = tonumber(ARGV[1])
local client = ARGV[3]
local t, lives = open(KEYS[1], ARGV[2], now, ARGV[7])
if not t then
  return {}
end

local answer = { false }
local c = open_client(KEYS[1], client, t, lives, ARGV[4], now)
if c then
  c.refreshed = math.max(c.refreshed, now)
else
  local refused = ARGV[6] ~= '' and make_room(KEYS[1], 'client', links(KEYS[1]) or '', client, ARGV[6], now, answer, ARGV[8])
  if refused then
    answer[1] = refused
    return answer
  end
  end_families(KEYS[1], { client }, ARGV[1])
  c = { started = now, refreshed = now, score = 0, client = client }
end

local own = life(ARGV[4], t.remember)
c.expires = client_ending(c, own, latest(t, lives))
c.data = ARGV[5]
settle(KEYS[1], t, now, lives.idle, c, own.idle)
--@ changed('user-session', KEYS[1], 'full')
answer[1] = redis.call('HVALS', KEYS[1])
return answer
