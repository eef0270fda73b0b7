-- Count a try. The window begins with the first, and no other moves its end.
--
-- KEYS[1] count     string: format version, how many, and when the window ends, ms since the epoch, each ended by a colon
-- KEYS[2] realm     zset: tails of the keys of a realm, scored by their end
-- ARGV[1] now       ms since the epoch
-- ARGV[2] windowMs  of a window that begins now
-- ARGV[3] graceMs   how much longer Redis keeps everything, ms
-- ARGV[4] tail      the count's key behind its partition
--
-- Returns {count, resetsAt}.

-- include: enter
local now = tonumber(ARGV[1])
local count, resets_at = string.match(redis.call('GET', KEYS[1]) or '', '^1:(%d+):(%d+):$')
if not count or tonumber(resets_at) <= now then
  count, resets_at = 0, string.format('%.0f', now + tonumber(ARGV[2]))
end
count = string.format('%.0f', tonumber(count) + 1)
local ms = string.format('%.0f', tonumber(resets_at) - now + tonumber(ARGV[3]))
redis.call('SET', KEYS[1], '1:' .. count .. ':' .. resets_at .. ':', 'PX', ms)
if count == '1' then
  enter(KEYS[2], resets_at, ARGV[4], ms, now)
end
return { count, resets_at }
