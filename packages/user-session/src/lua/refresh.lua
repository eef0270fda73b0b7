-- Note that a session, and one of its client sessions if named, is in use.
--
-- KEYS[1] session     hash: t times, c:, a: per client
-- ARGV[1] now         ms since the epoch
-- ARGV[2] life        spans of the session, ms
-- ARGV[3] client      escaped, empty for none
-- ARGV[4] clientLife  spans of the client session, ms
-- ARGV[5] answer      record, or times for the first value only
-- ARGV[6] layout      to write in
-- ARGV[7] evicted     1 to look whether indexes were evicted; left out, they are not
--
-- Returns the values of the record, with a client named those of t, its c:, its a: and d, else all; nil when it is gone.

-- include: lag, spans, usual
local now = tonumber(ARGV[1])
local client = ARGV[3]

local lost = false

-- What is usual in few steps: by far the most of what an authorization server asks. Answers whether that is all.
local function refresh_usual(record)
  local version, started, refreshed, expires, score, own, flag, behind = string.match(record[1] or '', '^v([12]) (%d+) (%d+) (%d+) (%d+)(o?)(r?)(.*)$')
  local c_started, c_refreshed, c_expires, c_score, rest = string.match(record[2] or '', '^c (%d+) (%d+) (%d+) (%d+) (.*)$')
  if not version or not c_started or expires - now <= 0 or c_expires - now <= 0 or (version == '1' and ARGV[6] ~= '1') then
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

  if ARGV[7] and math.floor(now / 1000) ~= math.floor(refreshed / 1000) then
    -- include: keys, missing
    lost = missing(KEYS[1], client, now, refreshed)
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
      local user, broker_session, broker_user = string.match(behind, '^ ([^:]*):([^:]*):([^:]*)$')
      if version == '1' then
        -- include: links
        user, broker_session, broker_user = links(KEYS[1])
      end
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
  record[1] = 'v' .. version .. ' ' .. started .. ' ' .. ARGV[1] .. ' ' .. text .. ' ' .. score .. own .. flag .. behind
  record[2] = 'c ' .. c_started .. ' ' .. ARGV[1] .. ' ' .. c_text .. ' ' .. c_score .. ' ' .. rest
  if type(redis.pcall('HSET', KEYS[1], 't', record[1], 'c:' .. client, record[2])) == 'table' then
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('HDEL', KEYS[1], '')
    redis.call('HSET', KEYS[1], 't', record[1], 'c:' .. client, record[2])
  end
  --@ changed('user-session', KEYS[1], 'touch')
  return true
end

if client ~= '' then
  local record = ARGV[5] == 'times' and redis.call('HMGET', KEYS[1], 't', 'c:' .. client) or redis.call('HMGET', KEYS[1], 't', 'c:' .. client, 'a:' .. client, 'd')
  if refresh_usual(record) then
    return ARGV[5] == 'times' and { record[1] } or record
  end
end

-- include: times, keys, reading, life, settling, opening
redis.call('HDEL', KEYS[1], '')
local t, lives = open(KEYS[1], ARGV[2], now, ARGV[6])
local c, own
if t and client ~= '' then
  c, own = open_client(KEYS[1], client, t, lives, ARGV[4], now)
end
if not t or (client ~= '' and not c) then
  return false
end
-- include: missing
if ARGV[7] and client == '' then
  lost = missing(KEYS[1], '', now, t.refreshed)
end
if lost then
  t.score = 0
end
t.refreshed = math.max(t.refreshed, now)
t.expires = ending(t, lives, latest(t, lives))
if c then
  c.score = lost and 0 or c.score
  c.refreshed = math.max(c.refreshed, now)
  c.expires = client_ending(c, own, latest(t, lives))
end
local text = settle(KEYS[1], t, now, lives.idle, c, own and own.idle)
--@ changed('user-session', KEYS[1], 'touch')
if client == '' then
  return redis.call('HVALS', KEYS[1])
end
return ARGV[5] == 'times' and { text } or redis.call('HMGET', KEYS[1], 't', 'c:' .. client, 'a:' .. client, 'd')
