-- End a client session, and its user session too if that is wanted and no other client session lives.
--
-- KEYS[1] session      hash: t times, c:, f: per client
-- ARGV[1] now          ms since the epoch
-- ARGV[2] client       escaped
-- ARGV[3] endWhenLast  1: end the user session when it was the last
--
-- Returns nil when there is no such client session, {} when it ended, the ended session as {id, user, {client...}}.

-- include: lag, times, keys, reading, ending
local now = tonumber(ARGV[1])
if not living(KEYS[1], now) or not living_client(KEYS[1], ARGV[2], now) then
  return false
end
end_clients(KEYS[1], { ARGV[2] }, ARGV[1])
if ARGV[3] == '1' then
  for _, client in ipairs(clients_of(KEYS[1])) do
    if living_client(KEYS[1], client, now) then
      return {}
    end
  end
  return drop(KEYS[1])
end
return {}
