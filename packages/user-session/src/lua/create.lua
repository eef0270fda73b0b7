-- Create a session with its first client session, unless a fence or a limit refuses it.
--
-- KEYS[1] session      hash: _v, t times, k links, d core as JSON, n notes as JSON; c:, t: per client
-- ARGV[1] now          ms since the epoch
-- ARGV[2] began        when the creation began, for the fences
-- ARGV[3] times        startedAt, lastRefreshAt, expiresAt, 0, perhaps r
-- ARGV[4] idle         ms
-- ARGV[5] links        user:brokerSession:brokerUser, escaped
-- ARGV[6] core         JSON
-- ARGV[7] notes        JSON, empty for none
-- ARGV[8] client       escaped, empty for none
-- ARGV[9] clientTimes  as times
-- ARGV[10] clientData  JSON
-- ARGV[11] perUser     sessions that a user may have, 0 for any number
-- ARGV[12] perClient   sessions that a user may have at the client, 0 for any number
-- ARGV[13] policy      reject, end-oldest or end-least-recently-used
--
-- Returns {'created', ended...} or {refusal}; an ended session is {id, user, {client...}}.

local now = tonumber(ARGV[1])
local head, kind, _, realm, id = parts(KEYS[1])
local user = string.match(ARGV[5], '^[^:]*')

if fenced(KEYS[1], user, ARGV[2]) then
  return { 'ended' }
end

local ends = {}
local of_user = head .. kind .. 'u:' .. realm .. ':' .. user
if ARGV[11] ~= '0' then
  ends = make_room(rivals(of_user, id, '', now), tonumber(ARGV[11]), ARGV[13])
  if not ends then
    return { 'user-limit' }
  end
end
if ARGV[12] ~= '0' and ARGV[8] ~= '' then
  local left = rivals(of_user, id, ARGV[8], now)
  for i = #left, 1, -1 do
    for _, key in ipairs(ends) do
      if left[i] and left[i].key == key then
        table.remove(left, i)
      end
    end
  end
  local more = make_room(left, tonumber(ARGV[12]), ARGV[13])
  if not more then
    return { 'client-limit' }
  end
  for _, key in ipairs(more) do
    ends[#ends + 1] = key
  end
end

local answer = { 'created' }
for _, key in ipairs(ends) do
  answer[#answer + 1] = drop(key)
end

redis.call('HSET', KEYS[1], '_v', '1', 'k', ARGV[5], 'd', ARGV[6])
if ARGV[7] ~= '' then
  redis.call('HSET', KEYS[1], 'n', ARGV[7])
end
if ARGV[8] ~= '' then
  redis.call('HSET', KEYS[1], 'c:' .. ARGV[8], ARGV[10], 't:' .. ARGV[8], ARGV[9])
end
settle(KEYS[1], times(ARGV[3]), now, tonumber(ARGV[4]))
return answer
