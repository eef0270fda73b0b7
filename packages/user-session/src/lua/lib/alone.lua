-- Whether no living client session but one has to be scored anew when its session ends at another time.
local function client_alone(key, client, ends, now)
  for _, value in ipairs(redis.call('HVALS', key)) do
    local expires, score = string.match(value, '^c %d+ %d+ (%d+) (%d+) ')
    if expires and (expires ~= score or expires - ends > 0) and expires - now > 0 then
      if string.match(value, '^c %d+ %d+ %d+ %d+ ([^{]*) {') ~= client then
        return false
      end
    end
  end
  return true
end
