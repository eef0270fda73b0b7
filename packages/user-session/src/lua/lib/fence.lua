-- include: moments
-- Whether the sessions of a realm, or of a user in it, were ended after something began.
local function fenced(of_realm, user, beginning)
  for _, mark in ipairs(redis.call('MGET', of_realm, of_realm .. ':' .. user)) do
    if mark and began_before(beginning, mark) then
      return true
    end
  end
  return false
end
