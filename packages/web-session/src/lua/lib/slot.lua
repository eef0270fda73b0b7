-- What lies under an id is one text, its parts escaped so that ':' ends each. Of a session: format version, expiresAt, version,
-- createdAt, when the sign-in of its user began (0 without one), ended generations, savedAt, and what its text ends with:
-- generation, user, alias, labels, lengths, and the data as JSON. Of what was ended: 0 and the ended generations.

-- The session of a text, if it has one, and the generations that were ended.
local function read(text)
  if not text then
    return nil, ''
  end
  local expires, version, created, since, ended, saved, rest =
    string.match(text, '^1:(%d+):(%d+):(%d+):(%d+):([^:]*):(%d+):()')
  if not expires then
    return nil, string.match(text, '^0:([^:]*):$') or ''
  end
  local generation, user, alias, labels, lengths, data =
    string.match(text, '^([^:]*):([^:]*):([^:]*):([^:]*):([%d,]*):(){', rest)
  if not data then
    return nil, ''
  end
  return {
    expires = tonumber(expires),
    version = version,
    created = created,
    since = since,
    saved = saved,
    generation = generation,
    user = user,
    alias = alias,
    labels = labels,
    lengths = lengths,
    rest = string.sub(text, rest),
    data = string.sub(text, data),
  }, ended
end

-- Ended generations whose time has not come, oldest first: {until, generation}.
local function standing(ended, now)
  local marks = {}
  for ends, generation in string.gmatch(ended, '(%d+){([^}]*)}') do
    if tonumber(ends) > now then
      marks[#marks + 1] = { tonumber(ends), generation }
    end
  end
  return marks
end

-- Marks one more generation as ended; of more than eight the oldest goes.
local function mark(marks, generation, ends)
  for i, held in ipairs(marks) do
    if held[2] == generation then
      ends = math.max(ends, held[1])
      table.remove(marks, i)
      break
    end
  end
  marks[#marks + 1] = { ends, generation }
  if #marks > 8 then
    table.remove(marks, 1)
  end
end

-- The text of marks, and when the last of them ends.
local function text_of(marks)
  local text, last = '', 0
  for _, held in ipairs(marks) do
    text = text .. string.format('%.0f', held[1]) .. '{' .. held[2] .. '}'
    last = math.max(last, held[1])
  end
  return text, last
end

-- Writes a session with its marks. Answers how long Redis keeps it, ms.
local function write(key, s, marks, now, saved, grace)
  local ended, last = text_of(marks)
  local ttl = string.format('%.0f', math.max(s.expires, last) - now + grace)
  -- No format of a whole text: it would end at the first zero byte of a name.
  local times = string.format('1:%.0f:', s.expires) .. s.version .. ':' .. s.created .. ':' .. s.since
  redis.call('SET', key, times .. ':' .. ended .. ':' .. saved .. ':' .. s.rest, 'PX', ttl)
  return ttl
end

-- Writes what is left of a session that was ended.
local function bury(key, marks, now, grace)
  local ended, last = text_of(marks)
  redis.call('SET', key, '0:' .. ended .. ':', 'PX', string.format('%.0f', last - now + grace))
end
