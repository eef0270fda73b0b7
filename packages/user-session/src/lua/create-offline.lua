-- Copy a session into its offline twin, or refresh that and copy what is missing.
--
-- KEYS[1] online       hash: as create writes it
-- KEYS[2] offline      hash: the same
-- ARGV[1] now          ms since the epoch
-- ARGV[2] beginning    when the login began, for the fences
-- ARGV[3] life         spans of the online session, ms
-- ARGV[4] offlineLife  spans of the offline session, ms
-- ARGV[5] clientLives  JSON: spans of online and of offline client sessions by client, escaped
-- ARGV[6] all          1: every living client session; 0: those that have spans
-- ARGV[7] limits       as create takes them
-- ARGV[8] layout       to write in
-- ARGV[9] tell         as create takes it
--
-- Returns {'created' or 'refreshed', all values of the offline record, an expired one it replaced as {id, user,
-- {client...}} or nil, ended...}, {'gone'}, {'refused', refusal}, {'more', ended...} when there is more to end first, or
-- {'unknown', client...} when nothing was written because the spans of these are needed; ended sessions are as create
-- answers them.

-- include: lag, times, keys, reading, spans, life, settling, opening, ending, fence, limits
local now = tonumber(ARGV[1])
local head, kind, _, realm = parts(KEYS[2])
local user = links(KEYS[1])
local source, source_lives = open(KEYS[1], ARGV[3], now, ARGV[8])
if not user or not source or fenced(head .. kind .. 'f:' .. realm, user, ARGV[2]) then
  return { 'gone' }
end

local spans = cjson.decode(ARGV[5])
local wanted, unknown = {}, { 'unknown' }
for _, client in ipairs(clients_of(KEYS[1])) do
  if living_client(KEYS[1], client, now) then
    if spans[client] then
      if open_client(KEYS[1], client, source, source_lives, spans[client][1], now) then
        wanted[#wanted + 1] = client
      end
    elseif ARGV[6] == '1' then
      unknown[#unknown + 1] = client
    end
  end
end
if #unknown > 1 then
  return unknown
end

local t, lives = open(KEYS[2], ARGV[4], now, ARGV[8])
local outcome = t and 'refreshed' or 'created'
local expired = nil
local made_room = {}
if t then
  t.refreshed = math.max(t.refreshed, now)
else
  local refused = ARGV[7] ~= '' and make_room(KEYS[2], 'offline', user, '', ARGV[7], now, made_room, ARGV[9])
  if refused == 'more' then
    table.insert(made_room, 1, 'more')
    return made_room
  elseif refused then
    return { 'refused', refused }
  end
  t = { version = source.version, links = source.links, started = now, refreshed = now, score = 0, remember = source.remember }
  lives = life(ARGV[4], t.remember)
  if redis.call('EXISTS', KEYS[2]) == 1 then
    --@details reason = 'expired'
    expired = drop(KEYS[2], ARGV[9])
  end
  redis.call('HSET', KEYS[2], 'd', redis.call('HGET', KEYS[1], 'd'), 'b', ARGV[2])
end
t.expires = ending(t, lives, latest(t, lives))
settle(KEYS[2], t, now, lives.idle)

local anew = {}
for _, client in ipairs(wanted) do
  local own = life(spans[client][2], t.remember)
  local c = open_client(KEYS[2], client, t, lives, spans[client][2], now)
  if c then
    c.refreshed = math.max(c.refreshed, now)
  else
    anew[#anew + 1] = client
    local online = client_session(redis.call('HGET', KEYS[1], 'c:' .. client))
    c = { started = now, refreshed = now, score = 0, client = client, data = data_of(KEYS[1], online) }
  end
  c.expires = client_ending(c, own, latest(t, lives))
  settle(KEYS[2], t, now, lives.idle, c, own.idle)
end
if #anew > 0 then
  end_families(KEYS[2], anew, ARGV[1])
end
--@ changed('user-session', KEYS[2], 'full')
local answer = { outcome, redis.call('HVALS', KEYS[2]), expired or false }
for _, ended in ipairs(made_room) do
  answer[#answer + 1] = ended
end
return answer
