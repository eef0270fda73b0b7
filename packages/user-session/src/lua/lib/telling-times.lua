-- include: alone

-- JSON of the times of a session alone; nil where other sites may lack more.
local function times_alone(key, now)
  local fields, of_stamps = { 't' }, { 'G', 'x' }
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 2) == 'c:' then
      fields[#fields + 1], of_stamps[#of_stamps + 1] = field, field
    end
  end
  if #fields > 33 then
    return nil
  end
  local held = redis.call('HMGET', key, unpack(fields)) -- at most 33
  local beside = place_of_stamps(key)
  local stamps = redis.call('HMGET', beside, unpack(of_stamps)) -- at most 34
  local started, refreshed, expires = string.match(held[1] or '', '^v[12] (%d+) (%d+) (%d+) ')
  local told_ends, told_use = string.match(stamps[2] or '', '^(%d+) (%d+)$')
  if not started or not stamps[1] or not told_ends or expires - now <= 0 or refreshed - told_use < 0 then
    return nil
  end
  local told = { stamps[1] .. ' ' .. started .. ' ' .. refreshed .. ' ' .. expires }
  for i = 2, #fields do
    local c_started, c_refreshed, c_expires = string.match(held[i], '^c (%d+) (%d+) (%d+) ')
    local stamp = stamps[i + 1]
    if not c_started or not stamp or string.match(stamp, ' (.*)$') ~= '=' .. c_started then
      return nil
    end
    told[i] = string.sub(fields[i], 3) .. ':' .. stamp .. ' ' .. c_refreshed .. ' ' .. c_expires
  end
  if stamps[2] ~= expires .. ' ' .. refreshed then
    note_use(beside, told_ends, refreshed, expires, now)
  end
  return '{"v":2,"t":' .. cjson.encode(table.concat(told, ':')) .. '}'
end
