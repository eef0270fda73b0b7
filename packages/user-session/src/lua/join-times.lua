-- Join times alone that another site told of a session, where the same session is held here.
--
-- KEYS[1] session  hash: t times, c: per client
-- ARGV[1] now      ms since the epoch
-- ARGV[2] state    JSON, as share answers it where only times changed
--
-- Returns changed or same; need-full when the session, or a client session, is held with another beginning, or not at all, or when one of
-- the sites has more to do than to note times: then nothing was written.

-- include: lag, alone
local now, lacking = tonumber(ARGV[1]), 'need-full'
-- To decode costs more than to look whether that is needed.
local told = string.match(ARGV[2], '^{"v":2,"t":"([^"\\]*)"}$') or cjson.decode(ARGV[2]).t
local beginning, started, refreshed, expires, of_clients = string.match(told, '^(%S+ %S+) (%d+) (%d+) (%d+)(.*)$')
local fields, of_stamps, clients = { 't' }, { 'G', 'x' }, {}
for client, stamp, begun, used, ends in string.gmatch(of_clients or '', ':([^:]*):(%S+ =(%d+)) (%d+) (%d+)') do
  local field = 'c:' .. client
  clients[#clients + 1] = { field = field, stamp = stamp, started = begun, refreshed = used, expires = ends }
  fields[#fields + 1], of_stamps[#of_stamps + 1] = field, field
end
if not beginning or #clients > 32 then
  return lacking
end

local held = redis.call('HMGET', KEYS[1], unpack(fields)) -- at most 33
local beside = place_of_stamps(KEYS[1])
local stamps = redis.call('HMGET', beside, unpack(of_stamps)) -- at most 34
local version, t_started, t_refreshed, t_expires, score, own, flag, behind = string.match(held[1] or '', '^(v[12]) (%d+) (%d+) (%d+) (%d+)(o?)(r?)(.*)$')
local noted_ends, noted_use = string.match(stamps[2] or '', '^(%d+) (%d+)$')
-- Times belong to what began with a stamp, at a time: a restart, or an attachment, that is not stamped yet has another one.
local function is_held(stamp, begun, told_stamp, told_begun)
  return stamp == told_stamp and begun == told_begun
end
if not version or not is_held(stamps[1], t_started, beginning, started) then
  return lacking
end
if not noted_ends or t_refreshed - noted_use < 0 or t_expires - now <= 0 or expires - now <= 0 then
  return lacking
end

-- Of two uses the later one stands, with the end that follows from it. Of one use the sooner end: time-outs were shortened.
local function is_news(used, ends, held_use, held_ends)
  local later = used - held_use
  return later > 0 or (later == 0 and ends - held_ends < 0)
end

local news = {}
for i, c in ipairs(clients) do
  local c_started, c_refreshed, c_expires, c_score, rest = string.match(held[i + 1] or '', '^c (%d+) (%d+) (%d+) (%d+) (.*)$')
  if not c_started or not is_held(stamps[i + 2], c_started, c.stamp, c.started) then
    return lacking
  end
  if is_news(c.refreshed, c.expires, c_refreshed, c_expires) then
    c.score, c.rest = c_score, rest
    news[#news + 1] = c
  end
end
local is_later = is_news(refreshed, expires, t_refreshed, t_expires)
if not is_later and #news == 0 then
  return 'same'
end
if not is_later then
  refreshed, expires = t_refreshed, t_expires
elseif expires - t_expires < 0 then
  own = ''
end

local is_far = astray(expires + 0, score + 0, math.max(expires - refreshed, 0))
local writes = {}
for _, c in ipairs(news) do
  if not is_far then
    local ends, known = math.min(c.expires, expires), c.score + 0
    if known > ends or (ends > now and astray(ends, known, math.max(c.expires - c.refreshed, 0))) then
      -- include: keys, indexes
      local head, kind, _, realm, id = parts(KEYS[1])
      c.score = string.format('%.0f', ends)
      index_client(head .. kind, realm, id, string.sub(c.field, 3), c.score, known, now)
    end
  end
  if c.expires - expires > 0 then
    own = ''
  end
  writes[#writes + 1] = c.field
  writes[#writes + 1] = 'c ' .. c.started .. ' ' .. c.refreshed .. ' ' .. c.expires .. ' ' .. c.score .. ' ' .. c.rest
end
local text = version .. ' ' .. started .. ' ' .. refreshed .. ' ' .. expires .. ' ' .. score .. own .. flag .. behind
if is_far then
  -- include: times, keys, indexes, reindexing
  local t = times(text)
  if not t then
    return lacking
  end
  redis.call('HSET', KEYS[1], 't', text, unpack(writes)) -- at most 64
  local follow = index(KEYS[1], t, now)
  expire(KEYS[1], t.expires, now)
  redis.call('HSET', KEYS[1], 't', text_of(t), unpack(follow, 1, math.min(#follow, 1000)))
  for i = 1001, #follow, 1000 do
    redis.call('HSET', KEYS[1], unpack(follow, i, math.min(i + 999, #follow)))
  end
else
  redis.call('HSET', KEYS[1], 't', text, unpack(writes)) -- at most 64
end
if is_later then
  note_use(beside, noted_ends, refreshed, expires, now)
end
return 'changed'
