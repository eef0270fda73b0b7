-- What lies under an id is one text, its parts escaped so that ':' ends each, its times in base 36. Of a session: format version,
-- expiresAt, by how much indexes score it later (five digits), savedAt, version, createdAt, when the sign-in of its user began (empty
-- where that is createdAt, or there is no user), ended generations, and what its text ends with: generation, user, alias, labels,
-- lengths (empty where the data are short), and the data as JSON. Of what was ended: 0 and the ended generations.

-- An instant of the first format, in which times are decimal.
local function in_base_36(decimal)
  local n, text = tonumber(decimal), ''
  repeat
    local digit = n % 36
    text = string.sub('0123456789abcdefghijklmnopqrstuvwxyz', digit + 1, digit + 1) .. text
    n = (n - digit) / 36
  until n == 0
  return text
end

local function in_decimal(base_36)
  return string.format('%.0f', tonumber(base_36, 36))
end

-- The session of a text, if it has one, and the generations that were ended.
local function read(text)
  if not text then
    return nil, ''
  end
  local ends, lag, saved, version, created, since, ended, rest =
    string.match(text, '^2:(%w+):(%d+):(%w+):(%d+):(%w+):(%w*):([^:]*):()')
  local is_old = not ends
  if is_old then
    ends, version, created, since, ended, saved, rest = string.match(text, '^1:(%d+):(%d+):(%d+):(%d+):([^:]*):(%d+):()')
    if not ends then
      return nil, string.match(text, '^0:([^:]*):$') or ''
    end
    ends, lag, saved, created = in_base_36(ends), '0', in_base_36(saved), in_base_36(created)
    since = in_base_36(since)
  end
  local generation, user, alias, labels, lengths, data =
    string.match(text, '^([^:]*):([^:]*):([^:]*):([^:]*):([%d,]*):(){', rest)
  if not data then
    return nil, ''
  end
  local expires = tonumber(ends, 36)
  return {
    is_old = is_old,
    ends = ends,
    expires = expires,
    score = expires + tonumber(lag),
    saved = saved,
    version = version,
    created = created,
    since = (user == '' or since == created) and '' or since,
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

-- Writes a session with its marks, in the format that it has: its indexes tell.
local function write(key, s, marks, now, grace)
  local ended, last = text_of(marks)
  local ttl = string.format('%.0f', math.max(s.expires, last) - now + grace)
  if s.is_old then
    local since = s.user == '' and '0' or in_decimal(s.since == '' and s.created or s.since)
    local old = '1:' .. in_decimal(s.ends) .. ':' .. s.version .. ':' .. in_decimal(s.created) .. ':' .. since
    redis.call('SET', key, old .. ':' .. ended .. ':' .. in_decimal(s.saved) .. ':' .. s.rest, 'PX', ttl)
    return
  end
  -- No format of a whole text: it would end at the first zero byte of a name.
  local times = '2:' .. s.ends .. string.format(':%05d:', s.score - s.expires) .. s.saved .. ':' .. s.version
  redis.call('SET', key, times .. ':' .. s.created .. ':' .. s.since .. ':' .. ended .. ':' .. s.rest, 'PX', ttl)
end

-- Writes what is left of a session that was ended.
local function bury(key, marks, now, grace)
  local ended, last = text_of(marks)
  redis.call('SET', key, '0:' .. ended .. ':', 'PX', string.format('%.0f', last - now + grace))
end
