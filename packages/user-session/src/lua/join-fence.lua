-- End what began before a removal at another site of all sessions of a user, or of a realm, and refuse what did and comes later.
--
-- KEYS[1] fence       string: a mark, what began before it is refused
-- KEYS[2] index       zset: session ids of the user or realm, scored by expiresAt or a little less
-- ARGV[1] now         ms since the epoch
-- ARGV[2] site        the site that this is
-- ARGV[3] mark        of the removal
-- ARGV[4] fenceMs     how long the fence stands, 0: it does not any more
-- ARGV[5] endsMs      how long a removal is remembered
-- ARGV[6] spared      JSON: ids of sessions that it spared
-- ARGV[7] afterScore  0 at first
-- ARGV[8] afterId     empty at first
--
-- Returns {score, id to go on behind, or empty at the end}.

-- include: lag, times, keys, reading, index-lives, moments, sharing, sharing-fence, fenced-stamp, walk
local now = tonumber(ARGV[1])
local head, name = name_in(KEYS[1])
local sessions, spared = sessions_of(KEYS[2]), {}
for _, id in ipairs(cjson.decode(ARGV[6])) do
  spared[id] = true
end
if ARGV[8] == '' then
  keep_fence(head, name, ARGV[3], now, tonumber(ARGV[5]))
  if ARGV[4] ~= '0' then
    local held = redis.call('GET', KEYS[1])
    local ms = math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[4]))
    redis.call('SET', KEYS[1], held and later_mark(held, ARGV[3]) or ARGV[3], 'PX', text(ms))
  end
  for id in pairs(spared) do
    spare(head, string.sub(sessions, #head + 1) .. id, ARGV[3], tonumber(ARGV[5]))
  end
end
local entries, score, id = walk(KEYS[2], behind(KEYS[2], ARGV[7], ARGV[8], now), 100)
for i = 1, #entries, 2 do
  local key = sessions .. entries[i]
  local held = redis.call('HMGET', key, 'b', 't')
  local started = string.match(held[2] or '', '^v%d+ (%d+) ')
  local beginning = held[1] or started and started .. '000'
  if beginning and not spared[entries[i]] and began_before(beginning, ARGV[3]) then
    local stamps, raw = stamps_of(key)
    -- As in a join: a removal at that moment or later has spared it.
    if not stamps.K or tonumber(stamps.K[1]) < parts_of_mark(ARGV[3]) then
      local began = stamps.G and stamps.G[1] or string.format('%015.0f', now)
      take_out(key)
      write_stamps(key, raw, { d = fenced_stamp(began) }, now, tonumber(ARGV[5]))
    end
  end
end
return { score, id }
