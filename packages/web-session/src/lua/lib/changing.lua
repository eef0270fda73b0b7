-- include: slot, standings, fence, listing, merge
-- Changes the session of a key as it is asked, see update. Answers what that script answers.
local function change(key, realm_index, now_text, ends, tombstone, grace, member, asked)
  local now = tonumber(now_text, 36)
  local s, ended = read(redis.call('GET', key))
  local marks = standing(ended, now)
  local wanted = asked.generation ~= '' and string.sub(asked.generation, 2) or nil
  if not s or s.expires <= now or (wanted and wanted ~= s.generation) then
    for _, held in ipairs(marks) do
      if not wanted or held[2] == wanted then
        return 'ended'
      end
    end
    return 'absent'
  end
  if asked.version ~= '' and s.version ~= asked.version then
    return 'conflict'
  end
  local head, realm = place(realm_index)
  local before = { is_old = s.is_old, expires = s.expires, score = s.score, user = s.user, labels = s.labels }
  local user = asked.owner == '' and s.user or string.sub(asked.owner, 2)
  if user ~= s.user then
    if user ~= '' and fenced(head, realm, user, asked.beginning) then
      return 'user'
    end
    s.user, s.since = user, asked.since == s.created and '' or asked.since
  end

  local expires = ends == '' and s.expires or tonumber(ends, 36)
  if expires <= now then
    mark(marks, s.generation, math.max(s.expires, now + tombstone))
    leave(head, realm, before, member)
    bury(key, marks, now, grace)
    --@ changed('web-session', KEYS[1], 'removal')
    return { 'passed', before.user, s.alias, string.format('%.0f', before.score) }
  end

  -- Layout 1 has the first format, and layout 2 brings a session into the one of now.
  local stays_old = s.is_old and asked.layout == '1'
  local has_changed = asked.unset ~= '' or asked.set ~= ''
  if has_changed then
    s.lengths, s.data = merge(s.lengths, s.data, asked.unset, asked.set)
    if #s.data > asked.most then
      return { 'too-large', #s.data }
    end
  end
  -- A full server goes on with a script that began with a write that cannot grow: with a touch, and with what takes away.
  -- Nothing is refused behind this line: the record would stay for ever.
  if asked.set == '' and #asked.owner < 2 then
    redis.call('PERSIST', key)
  end
  if has_changed or s.user ~= before.user then
    if stays_old and s.lengths == '' then
      s.lengths = lengths_of(s.data)
    end
    s.rest = s.generation .. ':' .. s.user .. ':' .. s.alias .. ':' .. s.labels .. ':' .. s.lengths .. ':' .. s.data
  end
  if ends ~= '' then
    s.ends, s.expires = ends, expires
  end
  local stays = s.user == before.user and (stays_old and s.score == expires or not s.is_old and stands_for(s.score, expires))
  if not stays then
    s.score, s.is_old = expires + (stays_old and 0 or LAG), stays_old
  end
  s.saved = now_text
  s.version = string.format('%.0f', s.version + 1)
  -- First the record, so that a full server refuses what may grow before anything has changed.
  write(key, s, marks, now, grace)
  if not stays then
    leave(head, realm, before, member, s)
    list(head, realm, s, member, now, grace)
  end
  --@ if has_changed or s.user ~= before.user then changed('web-session', KEYS[1], 'full') end
  --@ if not has_changed and s.user == before.user then changed('web-session', KEYS[1], 'touch') end
  if not stays and s.alias ~= '' then
    return { 'changed', tonumber(s.version), string.format('%.0f', s.score), s.alias }
  end
  return tonumber(s.version)
end
