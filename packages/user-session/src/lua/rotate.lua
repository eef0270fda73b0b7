-- Exchange a refresh token for its successor; a replay ends the client session.
--
-- KEYS[1] session     hash: t times, c:, a:, f:, g: per client
-- ARGV[1] now         ms since the epoch
-- ARGV[2] client      escaped
-- ARGV[3] family      escaped
-- ARGV[4] presented   escaped id of the token presented
-- ARGV[5] successor   escaped id of the token to be issued
-- ARGV[6] issuedAt    of the token presented, ms since the epoch
-- ARGV[7] maxReuse    presentations beyond the first
-- ARGV[8] attempt     escaped name of the request, empty for none
-- ARGV[9] graceMs     how long that name gets the same successor
-- ARGV[10] life       spans of the session, ms
-- ARGV[11] clientLife spans of the client session, ms
-- ARGV[12] layout     to write in
-- ARGV[13] tell       clients: listeners are told of client sessions; else not sent
--
-- Returns {outcome, successor}: outcome is rotated, reused, stale, foreign or gone; to tell, {outcome, '', user} when it ended.

-- include: lag, times, keys, reading, spans, life, settling, opening, ending, rotation
local now = tonumber(ARGV[1])
local client = ARGV[2]
local t, lives = open(KEYS[1], ARGV[10], now, ARGV[12])
local c, own
if t then
  c, own = open_client(KEYS[1], client, t, lives, ARGV[11], now)
end
if not c then
  return { 'gone' }
end

local field = 'f:' .. client .. ':' .. ARGV[3]
local known = redis.call('HMGET', KEYS[1], field, 'g:' .. client)
local not_before = math.max(c.started - c.started % 1000, (tonumber(known[2] or '-1') or now) + 1)
local outcome, successor, family = decide(known[1], not_before, ARGV[1], ARGV[4], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9]))

if outcome == 'reused' or outcome == 'stale' then
  --@ local gone = nil
  --@details reason = outcome
  --@details gone = gone_with(KEYS[1], links(KEYS[1]) or '', { client })
  end_clients(KEYS[1], { client }, ARGV[1])
  settle(KEYS[1], t, now, lives.idle)
  --@ changed('user-session', KEYS[1], 'full', gone)
  return ARGV[13] and { outcome, '', links(KEYS[1]) or '' } or { outcome }
end
if family then
  -- A hundred families are remembered; the tokens of one that is forgotten are refused.
  if not known[1] then
    local start, count, oldest, oldest_at = 'f:' .. client .. ':', 0, nil, nil
    for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
      if string.sub(name, 1, #start) == start then
        local at = tonumber(string.match(redis.call('HGET', KEYS[1], name), '^%d+:(%d+)')) or now
        count = count + 1
        if not oldest_at or at < oldest_at or (at == oldest_at and follows(oldest, name)) then
          oldest, oldest_at = name, at
        end
      end
    end
    if count >= 100 then
      redis.call('HDEL', KEYS[1], oldest)
      redis.call('HSET', KEYS[1], 'g:' .. client, string.format('%.0f', math.max(oldest_at, tonumber(known[2] or '0') or now)))
    end
  end
  if type(redis.pcall('HSET', KEYS[1], field, family)) == 'table' then
    if known[1] then
      -- A full server goes on with a script that began with a write that cannot grow.
      redis.call('HDEL', KEYS[1], '')
    end
    redis.call('HSET', KEYS[1], field, family)
  end
end
settle(KEYS[1], t, now, lives.idle, c, own.idle)
--@ if family then changed('user-session', KEYS[1], 'full') else changed('user-session', KEYS[1], 'touch') end
return { outcome, successor }
