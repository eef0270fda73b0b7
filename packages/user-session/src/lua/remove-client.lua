-- End a client session, and its user session too if that is wanted and no other client session lives.
--
-- KEYS[1] session      hash: t times, c:, a:, f: per client
-- ARGV[1] now          ms since the epoch
-- ARGV[2] client       escaped
-- ARGV[3] endWhenLast  1: end the user session when it was the last
-- ARGV[4] tell         clients: listeners are told of client sessions; notes: they ask for notes, too; else not sent
--
-- Returns nil when there is no such client session, {} or {user} to tell when it ended, the ended session as create answers it.

-- include: lag, times, keys, reading, ending
local now = tonumber(ARGV[1])
if not living(KEYS[1], now) or not living_client(KEYS[1], ARGV[2], now) then
  return false
end
local ends = ARGV[3] == '1'
for _, client in ipairs(ends and clients_of(KEYS[1]) or {}) do
  ends = ends and (client == ARGV[2] or not living_client(KEYS[1], client, now))
end
if ends then
  --@details reason = 'last-client'
  return drop(KEYS[1], ARGV[4])
end
--@ local gone = nil
--@details gone = gone_with(KEYS[1], links(KEYS[1]) or '', { ARGV[2] })
end_clients(KEYS[1], { ARGV[2] }, ARGV[1])
--@ changed('user-session', KEYS[1], 'full', gone)
return ARGV[4] and { links(KEYS[1]) or '' } or {}
