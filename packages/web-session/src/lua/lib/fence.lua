-- include: moments
-- Whether the sessions of a user were ended after a sign-in began.
local function fenced(head, realm, user, beginning)
  local mark = redis.call('GET', head .. 'wf:' .. realm .. ':' .. user)
  return mark and began_before(beginning, mark)
end
