-- Whether the sessions of a user or of the realm were ended after something began.
local function fenced(key, user, began)
  local head, kind, _, realm = parts(key)
  local fence = head .. kind .. 'f:' .. realm
  for _, mark in ipairs(redis.call('MGET', fence, fence .. ':' .. user)) do
    if mark and tonumber(mark) >= tonumber(began) then
      return true
    end
  end
  return false
end
