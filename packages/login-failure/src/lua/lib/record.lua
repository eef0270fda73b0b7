-- A record in either layout. 1: a field for each thing. 2: `_v` is the text `2 x n l`, `s` is `t o u p w` where any of these is more
-- than nothing, and `i` is as before. (A field of more than 64 bytes would make the hash twice as large.)

-- What a record says, as {n, t, o, l, u, p, x, w, i}, all texts, and its layout; nothing for what no version wrote.
local function read_record(key, stored)
  if stored[1] == '1' then
    local state = redis.call('HMGET', key, 'n', 't', 'o', 'l', 'u', 'p', 'x', 'w', 'i')
    for index = 1, 9 do
      state[index] = state[index] or (index < 8 and '0' or '')
    end
    return state, '1'
  end
  local x, n, l = string.match(stored[1] or '', '^2 (%d+) (%d+) (%d+)$')
  local t, o, u, p, w = string.match(stored[2] or '0 0 0 0 ', '^(%d+) (%d+) (%d+) (%d+) (.*)$')
  if x and t then
    return { n, t, o, l, u, p, x, w, stored[3] or '' }, '2'
  end
end

local function stored_record(key)
  return read_record(key, redis.call('HMGET', key, '_v', 's', 'i'))
end

-- Writes a record over one in the layout `before`, or over none; `state` as above, also with numbers in it.
local function write_record(key, state, layout, before)
  for index = 1, 7 do
    state[index] = string.format('%.0f', tonumber(state[index]) or 0)
  end
  local fields, gone = { '_v', '1' }, { '' }
  local function put(name, value, none)
    if value == none then
      gone[#gone + 1] = name
    else
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  put('i', state[9], '')
  if layout == '2' then
    local n, t, o, l, u, p, x, w = unpack(state, 1, 8) -- at most 8
    fields[2] = '2 ' .. x .. ' ' .. n .. ' ' .. l
    put('s', t .. ' ' .. o .. ' ' .. u .. ' ' .. p .. ' ' .. w, '0 0 0 0 ')
  else
    for index, name in ipairs({ 'n', 't', 'o', 'l', 'u', 'p', 'x', 'w' }) do
      put(name, state[index], index < 8 and '0' or '')
    end
  end
  redis.call('HSET', key, unpack(fields)) -- at most 20
  if before then
    redis.call('HDEL', key, unpack(gone)) -- at most 10
  end
  if before == '1' and layout == '2' then
    redis.call('HDEL', key, 'n', 't', 'o', 'l', 'u', 'p', 'x', 'w')
  elseif before == '2' and layout == '1' then
    redis.call('HDEL', key, 's')
  end
end
