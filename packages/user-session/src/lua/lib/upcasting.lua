-- Brings a living record of version 1 into version 2, unless a full server refuses that: then it stays as it is.
local function upcast(key, t)
  local held, fields = redis.call('HGETALL', key), {}
  local function set(field, value)
    fields[#fields + 1], fields[#fields + 2] = field, value
  end
  local json, links_text = nil, nil
  for i = 1, #held, 2 do
    local field, value = held[i], held[i + 1]
    local c = string.sub(field, 1, 2) == 'c:' and client_session(value)
    if field == 'd' then
      json, links_text = string.match(value, '^(.*})([^:}]*:[^:]*:[^:]*)$')
    elseif c and c.data then
      set('a:' .. c.client, about_client(c.client, c.data))
      c.data = nil
      set(field, client_text(c))
    end
  end
  if not json then
    return
  end
  t.version, t.links = '2', links_text
  if type(redis.pcall('HSET', key, 't', text_of(t), 'd', json)) == 'table' then
    t.version, t.links = '1', nil
    return
  end
  for i = 1, #fields, 1000 do
    redis.call('HSET', key, unpack(fields, i, math.min(i + 999, #fields)))
  end
end
