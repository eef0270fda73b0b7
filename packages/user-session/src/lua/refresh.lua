-- Note that a session, and one of its client sessions if named, is in use.
--
-- KEYS[1] session     hash: t times, c: per client
-- ARGV[1] now         ms since the epoch
-- ARGV[2] life        spans of the session, ms
-- ARGV[3] client      escaped, empty for none
-- ARGV[4] clientLife  spans of the client session, ms
-- ARGV[5] answer      record, or times for the first value only
-- ARGV[6] evicted     1 to look whether indexes were evicted; left out, they are not
--
-- Returns the values of the record, with a client named those of t, d and its c:, else all; nil when it is gone.

-- include: lag, spans, usual
local now = tonumber(ARGV[1])
local client = ARGV[3]

local lost = false

-- What is usual in few steps: by far the most of what an authorization server asks. Answers whether that is all.
local function refresh_usual(record)
  local started, refreshed, expires, score, own, flag = string.match(record[1] or '', '^v1 (%d+) (%d+) (%d+) (%d+)(o?)(r?)$')
  local c_started, c_refreshed, c_expires, c_score, rest = string.match(record[3] or '', '^c (%d+) (%d+) (%d+) (%d+) [^{]* (){')
  if not started or not c_started or expires - now <= 0 or c_expires - now <= 0 then
    return false
  end
  local idle, max, not_before = spans_of(ARGV[2], flag == 'r')
  local c_idle, c_max = idle, max
  if ARGV[4] ~= ARGV[2] then
    c_idle, c_max = spans_of(ARGV[4], flag == 'r')
  end
  local ends, at_latest = usual_end(idle, max, started, refreshed, now)
  local c_ends = usual_end(c_idle, c_max, c_started, c_refreshed, now, at_latest)
  if not ends or not c_ends or started - not_before < 0 then
    return false
  end

  if ARGV[6] and math.floor(now / 1000) ~= math.floor(refreshed / 1000) then
    -- include: keys, missing
    lost = missing(KEYS[1], record[2], client, now, refreshed)
    if lost then
      return false
    end
  end

  local text = string.format('%.0f', ends)
  local c_text = c_ends == ends and text or string.format('%.0f', c_ends)
  local known, c_known = score + 0, c_score + 0
  local far = astray(ends, known, idle)
  if far or astray(math.min(ends, c_ends), c_known, c_idle) then
    -- Other client sessions follow the session when one of them is not scored by an end of its own, or may not be now.
    -- include: keys, indexes
    redis.call('HDEL', KEYS[1], '')
    local head, kind, _, realm, id = parts(KEYS[1])
    if far then
      local user, broker_session, broker_user = links_in(record[2])
      if not user or own == '' or ends < expires + 0 then
        return false
      end
      index_session(head, kind, realm, id, user, broker_session, broker_user, text, known, now)
      expire(KEYS[1], ends, now)
      score = text
    end
    c_score = c_ends < ends and c_text or text
    index_client(head .. kind, realm, id, client, c_score, c_known, now)
  end
  if c_ends > ends then
    own = ''
  end
  record[1] = 'v1 ' .. started .. ' ' .. ARGV[1] .. ' ' .. text .. ' ' .. score .. own .. flag
  record[3] = 'c ' .. c_started .. ' ' .. ARGV[1] .. ' ' .. c_text .. ' ' .. c_score .. ' ' .. client .. ' ' .. string.sub(record[3], rest)
  if type(redis.pcall('HSET', KEYS[1], 't', record[1], 'c:' .. client, record[3])) == 'table' then
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('HDEL', KEYS[1], '')
    redis.call('HSET', KEYS[1], 't', record[1], 'c:' .. client, record[3])
  end
  --@ changed('user-session', KEYS[1], 'touch')
  return true
end

local record = nil
if client ~= '' then
  record = redis.call('HMGET', KEYS[1], 't', 'd', 'c:' .. client)
  if refresh_usual(record) then
    return ARGV[5] == 'times' and { record[1] } or record
  end
end

-- include: times, life, settling, opening
redis.call('HDEL', KEYS[1], '')
if not record then
  local t, lives = open(KEYS[1], ARGV[2], now)
  if not t then
    return false
  end
  -- include: keys, missing
  if ARGV[6] and missing(KEYS[1], redis.call('HGET', KEYS[1], 'd'), '', now, t.refreshed) then
    t.score = 0
  end
  t.refreshed = math.max(t.refreshed, now)
  t.expires = ending(t, lives, latest(t, lives))
  settle(KEYS[1], t, now, lives.idle)
  --@ changed('user-session', KEYS[1], 'touch')
  return redis.call('HVALS', KEYS[1])
end

local t, lives = opened(KEYS[1], record[1], ARGV[2], now)
local c = t and client_session(record[3])
if not c or c.expires <= now then
  return false
end
local own = life(ARGV[4], t.remember)
c.expires = client_ending(c, own, latest(t, lives))
if c.expires <= now then
  settle(KEYS[1], t, now, lives.idle, c, own.idle)
  --@ changed('user-session', KEYS[1], 'touch')
  return false
end
if lost then
  t.score, c.score = 0, 0
end
t.refreshed = math.max(t.refreshed, now)
t.expires = ending(t, lives, latest(t, lives))
c.refreshed = math.max(c.refreshed, now)
c.expires = client_ending(c, own, latest(t, lives))
record[1], record[3] = settle(KEYS[1], t, now, lives.idle, c, own.idle)
--@ changed('user-session', KEYS[1], 'touch')
return ARGV[5] == 'times' and { record[1] } or record
