-- User, broker session and broker user of a session as one text, escaped, empty for none: behind its times, or in version 1
-- behind the JSON of its data.
local function links_behind(text, data)
  return string.match(text or '', '^v2 %d+ %d+ %d+ %d+o?r? (.*)$') or string.match(data or '', '^.*}(.*)$') or ''
end

local function links_in(text, data)
  return string.match(links_behind(text, data), '^([^:]*):([^:]*):([^:]*)$')
end

local function links(key)
  local text = redis.call('HGET', key, 't')
  return links_in(text, string.find(text or '', '^v1 ') and redis.call('HGET', key, 'd'))
end
