-- End a lease that this owner holds.
--
-- KEYS[1] lease        hash: _v, owner, fence, expiresAt, awaited. Its TTL outlives it by the margin
-- ARGV[1] owner
--
-- Returns 0 if it is not held by this owner, 2 if somebody waits for it, else 1.

local held = redis.call('HMGET', KEYS[1], 'owner', 'awaited')
if held[1] ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
return held[2] and 2 or 1
