-- Begin a session anew for the same user.
--
-- KEYS[1] session       hash: as create writes it
-- ARGV[1] now           ms since the epoch
-- ARGV[2] life          spans of the session, ms
-- ARGV[3] times         startedAt, lastRefreshAt, expiresAt, score in the indexes, perhaps r
-- ARGV[4] score         that score
-- ARGV[5] links         user:brokerSession:brokerUser, escaped
-- ARGV[6] core          JSON
-- ARGV[7] notes         JSON, empty for none
-- ARGV[8] client        escaped, empty for none
-- ARGV[9] clientScore   the score in its times
-- ARGV[10] clientText   its times and, behind them, its data as JSON
--
-- Returns all fields of the record, nil when it is gone, 'other user' when it belongs to another.

-- include: times, keys, reading, life, indexes, settling, opening, ending
local now = tonumber(ARGV[1])
local head, kind, _, realm, id = parts(KEYS[1])
local user, broker_session, broker_user = links(KEYS[1])
if living(KEYS[1], now) and user ~= string.match(ARGV[5], '^[^:]*') then
  return 'other user'
end
if not open(KEYS[1], ARGV[2], now) then
  return false
end

for _, client in ipairs(clients_of(KEYS[1])) do
  end_client(KEYS[1], client, ARGV[1])
end
redis.call('ZREM', head .. kind .. 'i:' .. realm .. ':' .. broker_session, id)
redis.call('ZREM', head .. kind .. 'b:' .. realm .. ':' .. broker_user, id)
redis.call('HDEL', KEYS[1], 'n', 's')
redis.call('HSET', KEYS[1], 't', ARGV[3], 'k', ARGV[5], 'd', ARGV[6])
user, broker_session, broker_user = links(KEYS[1])
index_session(head, kind, realm, id, user, broker_session, broker_user, tonumber(ARGV[4]), now)
if ARGV[7] ~= '' then
  redis.call('HSET', KEYS[1], 'n', ARGV[7])
end
if ARGV[8] ~= '' then
  index_client(head .. kind, realm, id, ARGV[8], tonumber(ARGV[9]), now)
  redis.call('HSET', KEYS[1], 'c:' .. ARGV[8], ARGV[10])
end
expire(KEYS[1], tonumber(ARGV[4]), now)
return redis.call('HGETALL', KEYS[1])
