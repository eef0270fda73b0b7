-- Begin a session anew for the same user.
--
-- KEYS[1] session       hash: as create writes it
-- ARGV[1] now           ms since the epoch
-- ARGV[2] life          spans of the session, ms
-- ARGV[3] times         as create takes them
-- ARGV[4] score         the score in them
-- ARGV[5] data          as create takes it
-- ARGV[6] client        escaped, empty for none
-- ARGV[7] clientText    as create takes it
-- ARGV[8] clientScore   the score in that
-- ARGV[9] beginning     when the login began, for the fences; empty: too long ago for them
-- ARGV[10] limits       as create takes them
-- ARGV[11] clientData   as create takes it
-- ARGV[12] tell         clients: listeners are told of client sessions; notes: they ask for notes, too; else not sent
--
-- Returns {{value...} of the record, ended...}, {} when it is gone, {'other user'} when it belongs to another, {'ended'} or
-- {'too-late'} when a fence refuses it, {'client-limit'}, or {'more', ended...} when there is more to end first; ended
-- sessions are as create answers them. To tell, {client...} of the client sessions that ended are behind the values.

-- include: lag, times, keys, reading, spans, life, indexes, settling, opening, ending, fence, limits
local now = tonumber(ARGV[1])
local head, kind, _, realm, id = parts(KEYS[1])
local user, broker_session, broker_user = links(KEYS[1])
local t = open(KEYS[1], ARGV[2], now)
if not t then
  return {}
end
if user ~= links_in(ARGV[3], ARGV[5]) then
  return { 'other user' }
end
if ARGV[9] == '' then
  return { 'too-late' }
end
if fenced(head .. kind .. 'f:' .. realm, user, ARGV[9]) then
  return { 'ended' }
end

local answer = { false }
local refused = ARGV[10] ~= '' and make_room(KEYS[1], 'client', user, ARGV[6], ARGV[10], now, answer, ARGV[12])
if refused then
  answer[1] = refused
  return answer
end

local clients, told = clients_of(KEYS[1]), {}
for _, client in ipairs(ARGV[12] and clients or {}) do
  if living_client(KEYS[1], client, now) then
    told[#told + 1] = client
  end
end
--@ local gone = nil
--@details reason = 'restarted'
--@details gone = gone_with(KEYS[1], user, clients)
end_clients(KEYS[1], clients, ARGV[1])
redis.call('ZREM', head .. kind .. 'i:' .. realm .. ':' .. broker_session, id)
redis.call('ZREM', head .. kind .. 'b:' .. realm .. ':' .. broker_user, id)
redis.call('HSET', KEYS[1], 't', ARGV[3], 'd', ARGV[5], 'b', ARGV[9])
user, broker_session, broker_user = links_in(ARGV[3], ARGV[5])
index_session(head, kind, realm, id, user, broker_session, broker_user, ARGV[4], t.score, now)
if ARGV[6] ~= '' then
  index_client(head .. kind, realm, id, ARGV[6], ARGV[8], 0, now)
  redis.call('HSET', KEYS[1], 'c:' .. ARGV[6], ARGV[7])
  if ARGV[11] ~= '' then
    redis.call('HSET', KEYS[1], 'a:' .. ARGV[6], ARGV[11])
  end
end
expire(KEYS[1], ARGV[4], now)
--@ changed('user-session', KEYS[1], 'full', gone)
local values = redis.call('HVALS', KEYS[1])
values[#values + 1] = ARGV[12] and told or nil
answer[1] = values
return answer
