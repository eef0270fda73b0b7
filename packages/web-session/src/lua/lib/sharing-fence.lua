-- Members of sessions of a user behind a digest, as many as are wanted; at the end also those that the first format listed.
local function members_of(head, realm, user, digest_behind, wanted)
  local tag = tag_of(user)
  local members = of_users(index_of(head, realm, tag), tag, digest_behind, wanted)
  local last = #members == wanted and string.sub(members[wanted], 1, 8) or ''
  if last == '' then
    for _, member in ipairs(redis.call('ZRANGE', head .. 'wu:' .. realm .. ':' .. user, 0, 999)) do
      members[#members + 1] = member
    end
  end
  return members, last
end

-- Remembers a removal of all sessions of a user for as long as other removals: the fence itself ends sooner.
local function keep_fence(head, name, mark, now, ends_ms)
  raise(head .. 'xf:' .. name, mark, text(ends_ms))
  remember(head, name, now + ends_ms, now)
end

-- Notes beside a session that a removal of all of its user has spared it.
local function spare(head, name, mark, ends_ms)
  local beside, latest = head .. 'xs:' .. name, parts_of_mark(mark)
  if tonumber(redis.call('HGET', beside, 'K') or '0') < latest then
    redis.call('HSET', beside, 'K', text(latest))
    redis.call('PEXPIRE', beside, text(math.max(redis.call('PTTL', beside), ends_ms)))
  end
end
