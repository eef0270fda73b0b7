-- Takes a session out of the indexes of its user, broker session and broker user.
local function unlink(base, realm, id, user, broker_session, broker_user)
  redis.call('ZREM', base .. 'u:' .. realm .. ':' .. user, id)
  if broker_session ~= '' then
    redis.call('ZREM', base .. 'i:' .. realm .. ':' .. broker_session, id)
  end
  if broker_user ~= '' then
    redis.call('ZREM', base .. 'b:' .. realm .. ':' .. broker_user, id)
  end
end
