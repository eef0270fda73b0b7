-- Create a session with its first client session, unless a fence or a limit refuses it.
--
-- KEYS[1] session      hash: t times, d data, b beginning; c:, a: per client
-- ARGV[1] now          ms since the epoch
-- ARGV[2] beginning    when the login began, for the fences
-- ARGV[3] times        version, startedAt, lastRefreshAt, expiresAt, score in the indexes, flags; in version 2 user:brokerSession:brokerUser, escaped
-- ARGV[4] score        the score in them
-- ARGV[5] data         JSON; in version 1 behind it what version 2 has behind the times
-- ARGV[6] client       escaped, empty for none
-- ARGV[7] clientText   its times and itself; in version 1 its JSON
-- ARGV[8] clientScore  the score in that
-- ARGV[9] limits       empty for none; per user, per client, offline, in all, each 0 for any number, and the policy
-- ARGV[10] clientData  in version 2 itself and its JSON; else empty
-- ARGV[11] tell        notes: listeners ask for them; else not sent
--
-- Returns {'created', ended...}, {refusal}, or {'more', ended...} when there is more to end first; an ended session is
-- {u or o, {id, user, {client...}}}, with its data behind the clients for listeners who ask for notes.

-- include: slack
local now = tonumber(ARGV[1])
local head, kind, realm, id = string.match(KEYS[1], '^(.*{%x%x}:)([uo])s:([^:]*):(.*)$')
local user, broker_session, broker_user = string.match(ARGV[3], '^v2 %d+ %d+ %d+ %d+o?r? ([^:]*):([^:]*):([^:]*)$')
if not user then
  user, broker_session, broker_user = string.match(ARGV[5], '^.*}([^:]*):([^:]*):([^:]*)$')
end
local client = ARGV[6]

local fence = head .. kind .. 'f:' .. realm
if redis.call('EXISTS', fence, fence .. ':' .. user) > 0 then
  -- include: fence
  if fenced(fence, user, ARGV[2]) then
    return { 'ended' }
  end
end

local answer = { 'created' }
if ARGV[9] ~= '' then
  -- include: keys, times, reading, ending, limits
  local refused = make_room(KEYS[1], 'online', user, client, ARGV[9], now, answer, ARGV[11])
  if refused then
    answer[1] = refused
    return answer
  end
end

-- Of a new session nothing is in the indexes: they take fewer steps than in `indexes`.
-- include: index-lives
local function enter_first(index, score, span)
  redis.call('ZADD', index, score, id)
  local ms = span - now + SLACK + GRACE
  local kept = keep(index, ms)
  if kept > 0 and now % 4 == 0 then
    -- include: prune
    prune(index, now - SLACK)
  end
  return kept < ms
end

local score, base = ARGV[4], head .. kind
local span = math.ceil(score / SPAN) * SPAN
enter_first(base .. 'u:' .. realm .. ':' .. user, score, span)
if broker_session ~= '' then
  enter_first(base .. 'i:' .. realm .. ':' .. broker_session, score, span)
end
if broker_user ~= '' then
  enter_first(base .. 'b:' .. realm .. ':' .. broker_user, score, span)
end

local all, due = base .. 'r:' .. realm, head .. 'ux'
redis.call('ZADD', all, score, id)
redis.call('ZADD', due, 'LT', score, kind .. ':' .. realm)
if keep(all, span - now + DAY) < span - now + DAY then
  keep(due, redis.call('PTTL', all))
end

if client == '' then
  redis.call('HSET', KEYS[1], 't', ARGV[3], 'd', ARGV[5], 'b', ARGV[2])
else
  local of_client = ARGV[8] == score and span or math.ceil(ARGV[8] / SPAN) * SPAN
  local index = base .. 'c:' .. realm .. ':' .. client
  if enter_first(index, ARGV[8], of_client) then
    list_client(base .. 'k:' .. realm, client, index)
  end
  if ARGV[10] == '' then
    redis.call('HSET', KEYS[1], 't', ARGV[3], 'd', ARGV[5], 'b', ARGV[2], 'c:' .. client, ARGV[7])
  else
    redis.call('HSET', KEYS[1], 't', ARGV[3], 'd', ARGV[5], 'b', ARGV[2], 'c:' .. client, ARGV[7], 'a:' .. client, ARGV[10])
  end
end
redis.call('PEXPIRE', KEYS[1], math.max(score - now, 0) + GRACE + SLACK)
--@ changed('user-session', KEYS[1], 'full')
return answer
