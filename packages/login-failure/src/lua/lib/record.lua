-- include: stored
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
