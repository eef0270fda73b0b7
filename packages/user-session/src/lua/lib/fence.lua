-- Whether the sessions of a realm, or of a user in it, were ended after something began.
local function fenced(of_realm, user, began)
  for _, mark in ipairs(redis.call('MGET', of_realm, of_realm .. ':' .. user)) do
    if mark and tonumber(mark) >= tonumber(began) then
      return true
    end
  end
  return false
end
