-- include: joining
-- One site decides about a key. It joins what who asks knows of the token, decides, and answers what it knows then, in one step.

-- What a site decided for another, every other site has to hear of, who asked included: the answer may be lost. Nodes of this site tell it.
local function remember_for(others, head, name)
  for other in string.gmatch(others, '[^,]+') do
    local behind = head .. 'xb:' .. other
    local last = tonumber(redis.call('ZRANGE', behind, -1, -1, 'WITHSCORES')[2] or '0')
    redis.call('ZADD', behind, text(last + 1), name)
  end
end

-- Answers {reply, state}: what `decide` answers, and JSON of what is known then, nil for nothing and where a site decides for itself;
-- stale: other sites, or another version of them. `at` is where its arguments begin. Who asks for a way out gets it on a full server, too.
local function decided(key, membership_key, at, is_way_out, decide)
  local membership, copy, site, asker, others, ends_ms, ahead_ms = unpack(ARGV, at, at + 6) -- at most 7
  if redis.call('GET', membership_key) ~= membership then
    return 'stale'
  end
  if asker == '' then
    return { decide() }
  end
  local now = tonumber(ARGV[1])
  local head, name = name_in(key)
  if is_way_out then
    -- A full server goes on with a script that began with a write that cannot grow.
    redis.call('HDEL', head .. 'xs:' .. name, '')
  end
  if copy ~= '' then
    join_token(key, cjson.decode(copy), now, site, tonumber(ends_ms), tonumber(ahead_ms))
  end
  local before = redis.call('GET', key)
  local reply = decide()
  if redis.call('GET', key) ~= before then
    remember_for(others, head, name)
  end
  local token = token_of(key)
  if token == false then
    return { reply }
  end
  local stamps, raw = stamps_of(key)
  local state = state_of(token, stamps, now, site, now, false)
  if not state then
    return { reply }
  end
  write_stamps(key, raw, state, now, tonumber(ends_ms))
  state.v = 1
  return { reply, cjson.encode(state) }
end
