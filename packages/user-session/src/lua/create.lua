-- Create a session with its first client session, unless a fence or a limit refuses it.
--
-- KEYS[1] session      hash: t times, d data, b beginning; c: per client
-- ARGV[1] now          ms since the epoch
-- ARGV[2] beginning    when the login began, for the fences
-- ARGV[3] times        v1, startedAt, lastRefreshAt, expiresAt, score in the indexes, flags
-- ARGV[4] score        the score in them
-- ARGV[5] data         JSON, and behind it user:brokerSession:brokerUser, escaped
-- ARGV[6] client       escaped, empty for none
-- ARGV[7] clientText   its times, itself and its JSON
-- ARGV[8] clientScore  the score in that
-- ARGV[9] limits       empty for none; per user, per client, offline, in all, each 0 for any number, and the policy
-- ARGV[10] tell        notes: listeners ask for them; else not sent
--
-- Returns {'created', ended...}, {refusal}, or {'more', ended...} when there is more to end first; an ended session is
-- {u or o, {id, user, {client...}}}, with its data behind the clients for listeners who ask for notes.

-- include: keys, fence, lag
local now = tonumber(ARGV[1])
local head, kind, _, realm, id = parts(KEYS[1])
local user, broker_session, broker_user = links_in(ARGV[5])
local client = ARGV[6]

if fenced(head .. kind .. 'f:' .. realm, user, ARGV[2]) then
  return { 'ended' }
end

local answer = { 'created' }
if ARGV[9] ~= '' then
  -- include: times, reading, ending, limits
  local refused = make_room(KEYS[1], 'online', user, client, ARGV[9], now, answer, ARGV[10])
  if refused then
    answer[1] = refused
    return answer
  end
end

-- include: indexes
local score = ARGV[4]
index_session(head, kind, realm, id, user, broker_session, broker_user, score, 0, now)
if client == '' then
  redis.call('HSET', KEYS[1], 't', ARGV[3], 'd', ARGV[5], 'b', ARGV[2])
else
  index_client(head .. kind, realm, id, client, ARGV[8], 0, now)
  redis.call('HSET', KEYS[1], 't', ARGV[3], 'd', ARGV[5], 'b', ARGV[2], 'c:' .. client, ARGV[7])
end
expire(KEYS[1], score, now)
--@ changed('user-session', KEYS[1], 'full')
return answer
