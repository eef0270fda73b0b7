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
